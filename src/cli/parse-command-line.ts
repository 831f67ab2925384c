import yargs from 'yargs';
import { packageVersion } from '../support/package-version.ts';
import { commandsFor } from './cli.ts';
import { commands } from './commands/index.ts';
import { type Context, programName } from './context.ts';
import { CommandError, exitCodes } from './exit-codes.ts';

const help = `To try it, run "${programName()} start", and in a second terminal "${programName()} user add NAME@localhost".
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 server not reachable, 4 invalid configuration, 5 not found or already there.`;

/** Runs any command line. Rejects with the error of the command. */
export async function parseCommandLine(args: readonly string[], context: Context): Promise<void> {
  const cli = yargs()
    .scriptName('ampere')
    .usage('Usage: $0 <command> [options]')
    .locale('en')
    .parserConfiguration({ 'duplicate-arguments-array': false, 'dot-notation': false, 'boolean-negation': false })
    .option('config', {
      type: 'string',
      requiresArg: true,
      describe: 'Configuration file [AMPERE_CONFIG, else ./server.json, else the defaults]',
    })
    .version(packageVersion())
    .help()
    .strict()
    .demandCommand(1, 'A command is missing: "ampere --help" lists them.')
    .epilogue(help)
    .wrap(Math.min(context.stdout.columns ?? 100, 120))
    .exitProcess(false)
    .fail((message, error) => {
      // The parser reports some mistakes with an error class of its own.
      const misused = error === undefined || error.name === 'YError';
      throw misused ? new CommandError(exitCodes.usage, sentence(message ?? error.message)) : error;
    });
  for (const add of await commandsFor(commands, args)) add(cli, context);
  await cli.parseAsync(args, {}, (_error: unknown, _arguments: unknown, output: string) => {
    if (output !== '') context.stdout.write(`${output}\n`);
  });
}

/** The parser's message, which may have several lines, as one sentence. */
function sentence(message: string): string {
  return message
    .trim()
    .replace('non-option ', '')
    .replaceAll(/\s*\n\s*/g, ' ');
}
