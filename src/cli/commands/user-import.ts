import { systemClock } from '../../support/clock.ts';
import type { Cli } from '../cli.ts';
import { jsonOption } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { ImportSummary } from '../import/import-users.ts';
import { withServerOrData } from '../with-operations.ts';

/** RFC 5802 §5.1 asks for this many at least. */
const fewestIterations = 4096;
const mostIterations = 1_000_000;
const standardInput = '-';
/** What is told of one kind; --json tells all. */
const linesShown = 20;

/** Adds `user import`. */
export function userImportCommand(cli: Cli, context: Context): void {
  cli.command(
    'import <file>',
    'Create the accounts in a file of jid,password or jid,bcrypt-hash lines, or in a XEP-0227 file',
    (options) =>
      jsonOption(options)
        .positional('file', { type: 'string', demandOption: true, describe: 'The file; - is standard input' })
        .option('iterations', { type: 'number', requiresArg: true, describe: 'PBKDF2 iterations for the passwords' }),
    async ({ file, json, iterations, config }) => {
      const summary = await importFile(context, file, iterations, config);
      if (json) printJson(context, summary);
      else printLines(context, report(summary));
      const { length } = summary.problems;
      if (length > 0) throw new CommandError(exitCodes.failed, `${length} entries were not imported.`);
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
  const [{ entriesIn }, { importUsers }, operations] = await Promise.all([
    import('../import/entries-in.ts'),
    import('../import/import-users.ts'),
    import('../../web/control/import-operation.ts'),
  ]);
  const entries = await entriesIn(context, sourceOf(file, context), systemClock.nowMs());
  const options = { domains: config.domains, iterations: iterations ?? config.authentication.scramIterations };
  return withServerOrData(
    config,
    (operator) => importUsers(entries, (users) => operator.call(operations.importUsers, { users }), options),
    { create: true },
  );
}

/** The parser hands a lone `-` on as an empty text. */
function sourceOf(file: string, { stdin }: Context): string {
  if (file !== '') return file;
  if (stdin.isTTY !== true) return standardInput;
  throw new CommandError(exitCodes.usage, 'Name a file: standard input is a terminal.');
}

function checkIterations(iterations: number): void {
  if (Number.isInteger(iterations) && iterations >= fewestIterations && iterations <= mostIterations) return;
  const range = `from ${fewestIterations} to ${mostIterations}`;
  throw new CommandError(exitCodes.usage, `--iterations must be a whole number ${range}.`);
}

function report({ created, skipped, problems, losses }: ImportSummary): string[] {
  return [
    ...shortened(problems.map(({ place, problem }) => `${place}: ${problem}`)),
    ...shortened(losses.map(({ place, loss }) => `${place}: not taken over: ${loss}`)),
    `${created} created, ${skipped.length} skipped because they exist, ${problems.length} not imported.`,
  ];
}

function shortened(lines: readonly string[]): string[] {
  const more = lines.length - linesShown;
  return more > 0 ? [...lines.slice(0, linesShown), `… and ${more} more; --json tells all`] : [...lines];
}
