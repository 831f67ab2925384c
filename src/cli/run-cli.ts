import { start } from './commands/start.ts';
import type { Context } from './context.ts';
import { CommandEnd, type ExitCode, exitCodeOf, exitCodes, explanation } from './exit-codes.ts';

/** Carries out one command line and gives the exit code; errors are told on standard error. */
export async function runCli(args: readonly string[], context: Context): Promise<ExitCode> {
  try {
    await run(args, context);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof CommandEnd)) context.stderr.write(`ampere: ${explanation(error)}\n`);
    return exitCodeOf(error);
  }
}

/** A server should not carry the parser of command lines along as long as it runs, so its usual ones are read here. */
async function run(args: readonly string[], context: Context): Promise<void> {
  const [command, option, value] = args;
  if (command === 'start' && args.length === 1) return start(context, undefined);
  if (command === 'start' && args.length === 3 && option === '--config' && value && !value.startsWith('-')) {
    return start(context, value);
  }
  const { parseCommandLine } = await import('./parse-command-line.ts');
  return parseCommandLine(args, context);
}
