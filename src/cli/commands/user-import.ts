import { systemClock } from '../../support/clock.ts';
import type { Cli } from '../cli.ts';
import { jsonOption } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { SendArchived } from '../import/archive-upload.ts';
import { type ImportSummary, importReport } from '../import/import-report.ts';
import { withServerOrData } from '../with-operations.ts';

/** The minimum of RFC 5802 §5.1. */
const fewestIterations = 4096;
const mostIterations = 1_000_000;
const standardInput = '-';

/** Adds `user import`. */
export function userImportCommand(cli: Cli, context: Context): void {
  cli.command(
    'import <file>',
    'Create accounts from lines of jid,password or jid,bcrypt-hash, from a XEP-0227 file, from the data directory of Prosody, or from a dump of ejabberd',
    (options) =>
      jsonOption(options)
        .positional('file', {
          type: 'string',
          demandOption: true,
          describe: 'File or directory to import; - reads standard input',
        })
        .option('iterations', {
          type: 'number',
          requiresArg: true,
          describe: 'PBKDF2 iterations for hashing the passwords',
        }),
    async ({ file, json, iterations, config }) => {
      const summary = await importFile(context, file, iterations, config);
      if (json) printJson(context, summary);
      else printLines(context, importReport(summary));
      const { length } = summary.problems;
      if (length > 0) throw new CommandError(exitCodes.failed, failureText(length));
    },
  );
}

async function importFile(
  context: Context,
  file: string,
  iterations: number | undefined,
  configFile: string | undefined,
): Promise<ImportSummary> {
  if (iterations !== undefined) checkIterations(iterations);
  const config = await readConfiguration(context, configFile);
  const [{ entriesIn }, { addressFault, importUsers }, operations] = await Promise.all([
    import('../import/entries-in.ts'),
    import('../import/import-users.ts'),
    import('../../web/control/import-operations.ts'),
  ]);
  const entries = await entriesIn(context, sourceOf(file, context), systemClock.nowMs());
  const options = { domains: config.domains, iterations: iterations ?? config.authentication.scramIterations };
  return withServerOrData(
    config,
    (operator) => {
      const send: SendArchived = async (jid, messages, begun) => {
        if (addressFault(jid, config.domains) !== undefined) return undefined;
        return (await operator.call(operations.importArchived, { jid, messages: [...messages], ...begun })).begun;
      };
      return importUsers(entries(send), (users) => operator.call(operations.importUsers, { users }), options);
    },
    { create: true },
  );
}

/** The file argument. The parser turns a lone `-` into an empty string. */
function sourceOf(file: string, { stdin }: Context): string {
  if (file !== '') return file;
  if (stdin.isTTY !== true) return standardInput;
  throw new CommandError(exitCodes.usage, 'Name a file, or pipe the accounts into standard input.');
}

function checkIterations(iterations: number): void {
  if (Number.isInteger(iterations) && iterations >= fewestIterations && iterations <= mostIterations) return;
  const range = `from ${fewestIterations} to ${mostIterations}`;
  throw new CommandError(exitCodes.usage, `--iterations must be a whole number ${range}.`);
}

function failureText(entries: number): string {
  return entries === 1 ? 'One entry was not imported.' : `${entries} entries were not imported.`;
}
