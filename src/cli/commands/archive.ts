import type { ArchiveReport } from '../../web/control/archive-operations.ts';
import { type Cli, jidArgument, jsonOption, requireCommand } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, printJson, printLines } from '../context.ts';
import { beforeOption, purgeInSteps, removedLine, timeIn } from '../purging.ts';
import { withServerOrData } from '../with-operations.ts';

const commands = [archiveUsageCommand, archivePurgeCommand];

/** Adds `archive`, the commands for message archives. They also work while the server is stopped. */
export function archiveCommand(cli: Cli, context: Context): void {
  cli.command('archive', 'Measure message archives, and remove messages from them', (options) => {
    for (const add of commands) add(options, context);
    return requireCommand(options, 'ampere archive');
  });
}

function archiveUsageCommand(cli: Cli, context: Context): void {
  cli.command(
    'usage [jid]',
    'Show how many messages an archive has, or all archives together, their size and their age',
    (options) => jsonOption(options).positional('jid', { type: 'string', describe: 'Address of the account' }),
    async ({ jid, json, config: file }) => {
      const location = await locateServer(context, file);
      const { archiveUsage } = await import('../../web/control/archive-operations.ts');
      const usage = await withServerOrData(location, (operator) => operator.call(archiveUsage, { jid }));
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
    'Remove the messages of the archive of an account; others keep their copies',
    (options) => beforeOption(jidArgument(options, 'Address of the account')),
    async ({ jid, before, config: file }) => {
      const beforeMs = before === undefined ? undefined : timeIn(before);
      const location = await locateServer(context, file);
      const { purgeArchive } = await import('../../web/control/archive-operations.ts');
      const removed = await withServerOrData(location, (operator) =>
        purgeInSteps(context, (atLeast) => operator.call(purgeArchive, { jid, beforeMs, atLeast })),
      );
      printLines(context, [removedLine(removed, jid)]);
    },
  );
}
