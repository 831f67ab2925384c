import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { roomDomains } from '../../config/stream-options.ts';
import { systemClock } from '../../support/clock.ts';
import { type Cli, jsonOption, outOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { writeExport } from '../export/write-export.ts';
import { roomsFile } from '../import/entries-in.ts';
import type { FoundRoom } from '../import/found-room.ts';
import { type ImportSummary, importReport } from '../import/import-report.ts';
import type { RoomImportOptions } from '../import/import-rooms.ts';
import { Progress, withProgress } from '../progress.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `room import`. */
export function roomImportCommand(cli: Cli, context: Context): void {
  cli.command(
    'import <source>',
    'Import rooms and their archives from an export, a Prosody data directory, or an ejabberd dump or SQLite database',
    (options) =>
      jsonOption(options).positional('source', {
        type: 'string',
        demandOption: true,
        describe:
          'File or directory written by "room export", "export" or "ejabberdctl dump", Prosody data directory, or ejabberd SQLite database',
      }),
    async ({ source, json, config }) => {
      const progress = new Progress(context, 'messages of rooms');
      const { summary, isInterrupted } = await withProgress(progress, async (interrupted) => {
        const found = await importFrom(context, source, config, { interrupted, sent: (count) => progress.step(count) });
        return { summary: found, isInterrupted: interrupted.aborted };
      });
      if (json) printJson(context, summary);
      else printLines(context, importReport(summary));
      if (summary.problems.length > 0)
        throw new CommandError(exitCodes.failed, `${summary.problems.length} rooms were not imported.`);
      if (isInterrupted)
        throw new CommandError(exitCodes.failed, 'Interrupted: the same command imports the other rooms.');
    },
  );
}

async function importFrom(
  context: Context,
  source: string,
  file: string | undefined,
  options: Pick<RoomImportOptions, 'interrupted' | 'sent'>,
): Promise<ImportSummary> {
  const path = resolve(context.directory, source);
  if (!existsSync(path)) throw new CommandError(exitCodes.conflict, `There is no file or directory ${path}.`);
  const location = await locateServer(context, file);
  const config = await location.readConfig();
  const [{ importRooms }, rooms] = await Promise.all([
    import('../import/import-rooms.ts'),
    roomsIn(path, config.domains),
  ]);
  const domains = roomDomains(config);
  return withServerOrData(location, (operator) => importRooms(rooms, operator, { ...options, domains }), {
    create: true,
  });
}

/** The rooms in a data directory of Prosody, in an export, or in the data of ejabberd. */
async function roomsIn(path: string, domains: readonly string[]): Promise<AsyncIterable<FoundRoom>> {
  const inExport = join(path, roomsFile);
  if (existsSync(inExport)) return roomsIn(inExport, domains);
  if (statSync(path).isDirectory()) return (await import('../import/prosody-rooms.ts')).prosodyRooms(path);
  const { exportedRooms, isRoomExport } = await import('../import/exported-rooms.ts');
  if (await isRoomExport(path)) return exportedRooms(path);
  const [{ openEjabberd }, { ejabberdRooms }] = await Promise.all([
    import('../import/entries-in.ts'),
    import('../import/ejabberd-rooms.ts'),
  ]);
  return ejabberdRooms(await openEjabberd(path, domains), systemClock.nowMs());
}

/** Adds `room export`. */
export function roomExportCommand(cli: Cli, context: Context): void {
  cli.command(
    'export [room]',
    'Write a room, or all rooms, with members, settings and archive, for "room import"',
    (options) => outOption(options.positional('room', { type: 'string', describe: 'Address of the room' })),
    async ({ room, out, json, config: file }) => {
      const location = await locateServer(context, file);
      const { exportedRooms } = await import('../export/export-rooms.ts');
      await withServerOrData(location, (operator) =>
        writeExport(context, { out, json }, exportedRooms(operator, room)),
      );
    },
  );
}
