import type { Context } from './context.ts';
import { CommandEnd, type ExitCode, exitCodeOf, exitCodes, explanation } from './exit-codes.ts';

/** Runs one command line and gives its exit code. Errors go to standard error. */
export async function runCli(args: readonly string[], context: Context): Promise<ExitCode> {
  try {
    await run(args, context);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof CommandEnd)) context.stderr.write(`ampere: ${explanation(error)}\n`);
    return exitCodeOf(error);
  }
}

/** Reads the usual forms of `start` here, so that a server does not keep the command-line parser in memory. */
async function run(args: readonly string[], context: Context): Promise<void> {
  const [command, option, value] = args;
  const isUsual = args.length === 1 || (args.length === 3 && option === '--config' && value && !value.startsWith('-'));
  if (command === 'start' && isUsual) {
    const { start } = await import('./commands/start.ts');
    return start(context, value);
  }
  const { parseCommandLine } = await import('./parse-command-line.ts');
  return parseCommandLine(args, context);
}
