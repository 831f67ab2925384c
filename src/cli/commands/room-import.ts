import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { roomDomains } from '../../config/stream-options.ts';
import { systemClock } from '../../support/clock.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, harmless, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { FoundRoom } from '../import/found-room.ts';
import { withServerOrData } from '../with-operations.ts';

/** The result of an import. */
interface RoomImportSummary {
  created: number;
  /** Addresses that had a room already. */
  readonly skipped: string[];
  readonly problems: { readonly place: string; readonly problem: string }[];
  readonly losses: { readonly place: string; readonly loss: string }[];
}

/** Adds `room import`. */
export function roomImportCommand(cli: Cli, context: Context): void {
  cli.command(
    'import <source>',
    'Create the rooms of a data directory of Prosody, or of a dump of ejabberd, with their archives',
    (options) =>
      jsonOption(options).positional('source', {
        type: 'string',
        demandOption: true,
        describe: 'Data directory of Prosody, such as /var/lib/prosody, or file that "ejabberdctl dump" has written',
      }),
    async ({ source, json, config }) => {
      const summary = await importRooms(context, source, config);
      if (json) printJson(context, summary);
      else printLines(context, report(summary));
      if (summary.problems.length > 0)
        throw new CommandError(exitCodes.failed, `${summary.problems.length} rooms were not imported.`);
    },
  );
}

async function importRooms(context: Context, source: string, file: string | undefined): Promise<RoomImportSummary> {
  const path = resolve(context.directory, source);
  if (!existsSync(path)) throw new CommandError(exitCodes.conflict, `There is no file or directory ${path}.`);
  const config = await readConfiguration(context, file);
  const [rooms, { importRoomOperation }] = await Promise.all([
    roomsIn(path),
    import('../../web/control/room-import.ts'),
  ]);
  const domains = roomDomains(config);
  const summary: RoomImportSummary = { created: 0, skipped: [], problems: [], losses: [] };
  await withServerOrData(
    config,
    async (operator) => {
      for await (const found of rooms) {
        const { place, room, losses } = found;
        const problem = problemOf(found, domains);
        if (problem !== undefined || !room) summary.problems.push({ place, problem: problem ?? 'there is no room' });
        else if (!(await operator.call(importRoomOperation, room)).created) summary.skipped.push(place);
        else {
          summary.created += 1;
          summary.losses.push(...losses.map((loss) => ({ place, loss })));
        }
      }
    },
    { create: true },
  );
  return summary;
}

/** The rooms in a data directory of Prosody, or in a dump of ejabberd. */
async function roomsIn(path: string): Promise<AsyncIterable<FoundRoom>> {
  if (statSync(path).isDirectory()) return (await import('../import/prosody-rooms.ts')).prosodyRooms(path);
  const [{ openDump }, { ejabberdRooms }] = await Promise.all([
    import('../import/entries-in.ts'),
    import('../import/ejabberd-rooms.ts'),
  ]);
  return ejabberdRooms(await openDump(path), systemClock.nowMs());
}

function problemOf({ place, problem }: FoundRoom, domains: readonly string[]): string | undefined {
  if (problem !== undefined) return problem;
  const domain = place.slice(place.indexOf('@') + 1);
  return domains.includes(domain)
    ? undefined
    : `${domain} has no rooms here; the domains with rooms are: ${domains.join(', ')}`;
}

function report({ created, skipped, problems, losses }: RoomImportSummary): string[] {
  return [
    ...problems.map(({ place, problem }) => `${harmless(place)}: ${harmless(problem)}`),
    ...losses.map(({ place, loss }) => `${harmless(place)}: left out: ${harmless(loss)}`),
    `${created} created, ${skipped.length} skipped because they exist, ${problems.length} not imported.`,
  ];
}
