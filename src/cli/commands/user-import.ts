import { systemClock } from '../../support/clock.ts';
import type { Cli } from '../cli.ts';
import { jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { SendArchived } from '../import/archive-upload.ts';
import { type ImportSummary, importReport } from '../import/import-report.ts';
import type { ImportOptions } from '../import/import-users.ts';
import { operations } from '../operations.ts';
import { Progress, withProgress } from '../progress.ts';
import { withServerOrData } from '../with-operations.ts';

/** The minimum of RFC 5802 §5.1. */
const fewestIterations = 4096;
const mostIterations = 1_000_000;
const standardInput = '-';

/** Adds `user import`. */
export function userImportCommand(cli: Cli, context: Context): void {
  cli.command(
    'import <file>',
    'Import accounts from a list of passwords or bcrypt hashes, a XEP-0227 file, a Prosody data directory, an ejabberd dump or SQLite database, or an Openfire export',
    (options) =>
      jsonOption(options)
        .positional('file', {
          type: 'string',
          demandOption: true,
          describe:
            'File or directory to import; a list has lines of jid,password or jid,bcrypt-hash; - reads standard input',
        })
        .option('iterations', {
          type: 'number',
          requiresArg: true,
          describe: 'PBKDF2 iterations for hashing the passwords [authentication.scramIterations]',
        })
        .option('domain', {
          type: 'string',
          requiresArg: true,
          describe: 'Domain of the accounts, if the file does not name it',
        }),
    async ({ file, json, iterations, domain, config }) => {
      const progress = new Progress(context, 'accounts');
      const { summary, isInterrupted } = await withProgress(progress, async (interrupted) => {
        const request = { file, iterations, domain, config, interrupted, taken: () => progress.step() };
        return { summary: await importFile(context, request), isInterrupted: interrupted.aborted };
      });
      if (json) printJson(context, summary);
      else printLines(context, importReport(summary));
      const { length } = summary.problems;
      if (length > 0) throw new CommandError(exitCodes.failed, failureText(length));
      if (isInterrupted)
        throw new CommandError(exitCodes.failed, 'Interrupted: the same command imports the other accounts.');
    },
  );
}

/** What the command line asks for. */
interface ImportRequest extends Pick<ImportOptions, 'interrupted' | 'taken'> {
  readonly file: string;
  readonly iterations: number | undefined;
  readonly domain: string | undefined;
  readonly config: string | undefined;
}

async function importFile(
  context: Context,
  { file, iterations, domain, config: configFile, ...during }: ImportRequest,
): Promise<ImportSummary> {
  if (iterations !== undefined) checkIterations(iterations);
  const location = await locateServer(context, configFile);
  const config = await location.readConfig();
  const [{ entriesIn }, { addressFault, importUsers }] = await Promise.all([
    import('../import/entries-in.ts'),
    import('../import/import-users.ts'),
  ]);
  const entries = await entriesIn(context, sourceOf(file, context), {
    nowMs: systemClock.nowMs(),
    domains: domain === undefined ? config.domains : [domain],
  });
  const { scramIterations } = config.authentication;
  const options = { ...during, domains: config.domains, iterations: iterations ?? scramIterations };
  return withServerOrData(
    location,
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
