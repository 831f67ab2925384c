import type { ArchiveReport } from '../../web/control/archive-operations.ts';
import { type Cli, group, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, printDone, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { beforeOption, purgeInSteps, removedLine, timeIn } from '../purging.ts';
import { withServerOrData } from '../with-operations.ts';

const commands = [archiveUsageCommand, archivePurgeCommand];

/** Adds `archive`, the commands for message archives. They also work while the server is stopped. */
export const archiveCommand = group('archive', 'Measure message archives, and remove messages from them', commands);

function archiveUsageCommand(cli: Cli, context: Context): void {
  cli.command(
    'usage [jid]',
    'Show the number, size and age of the messages of an account, or of all accounts together',
    (options) => jsonOption(options).positional('jid', { type: 'string', describe: 'Address of the account' }),
    async ({ jid, json, config: file }) => {
      const location = await locateServer(context, file);
      const usage = await withServerOrData(location, (operator) => operator.call(operations.archiveUsage, { jid }));
      if (json) printJson(context, usage);
      else printLines(context, aligned(rows(usage)));
    },
  );
}

function rows({ messages, bytes, oldestMs, newestMs }: ArchiveReport): string[][] {
  const time = (ms: number | undefined) => (ms === undefined ? 'none' : new Date(ms).toISOString());
  return [
    ['Messages', String(messages)],
    ['Size', `${(bytes / 2 ** 20).toFixed(1)} MiB`],
    ['Oldest', time(oldestMs)],
    ['Newest', time(newestMs)],
  ];
}

function archivePurgeCommand(cli: Cli, context: Context): void {
  cli.command(
    'purge <jid>',
    'Remove messages from the archive of an account; other accounts keep their copies',
    (options) => beforeOption(jsonOption(jidArgument(options, 'Address of the account'))),
    async ({ jid, before, json, config: file }) => {
      const beforeMs = before === undefined ? undefined : timeIn(before);
      const location = await locateServer(context, file);
      const removed = await withServerOrData(location, (operator) =>
        purgeInSteps(context, (atLeast) => operator.call(operations.purgeArchive, { jid, beforeMs, atLeast })),
      );
      printDone(context, json, { jid, removed }, removedLine(removed, jid));
    },
  );
}
