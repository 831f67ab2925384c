import yargs from 'yargs';
import { packageVersion } from '../support/package-version.ts';
import { commands } from './commands/index.ts';
import type { Context } from './context.ts';
import { CommandError, exitCodes } from './exit-codes.ts';

const exitCodeHelp =
  'Exit codes: 0 done, 1 failed, 2 usage, 3 server not reachable, 4 configuration invalid, 5 not found or conflict.';

/** Carries out any command line; rejects with what went wrong. */
export async function parseCommandLine(args: readonly string[], context: Context): Promise<void> {
  const cli = yargs()
    .scriptName('ampere')
    .usage('$0 <command>')
    .locale('en')
    .parserConfiguration({ 'duplicate-arguments-array': false, 'dot-notation': false, 'boolean-negation': false })
    .option('config', {
      type: 'string',
      requiresArg: true,
      describe: 'The configuration file [AMPERE_CONFIG, else ./server.json, else defaults]',
    })
    .version(packageVersion())
    .help()
    .strict()
    .demandCommand(1, 'Name a command; ampere --help lists them.')
    .epilogue(exitCodeHelp)
    .wrap(Math.min(context.stdout.columns ?? 100, 120))
    .exitProcess(false)
    .fail((message, error) => {
      // The parser reports some mistakes in an error of its own.
      const misused = error === undefined || error.name === 'YError';
      throw misused ? new CommandError(exitCodes.usage, sentence(message ?? error.message)) : error;
    });
  for (const add of commands) add(cli, context);
  await cli.parseAsync(args, {}, (_error: unknown, _arguments: unknown, output: string) => {
    if (output !== '') context.stdout.write(`${output}\n`);
  });
}

/** The parser's complaints are a list of lines. */
function sentence(message: string): string {
  return message.trim().replaceAll(/\s*\n\s*/g, ' ');
}
