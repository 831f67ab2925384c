import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { domain } from './accounts.ts';
import { cases } from './cases.ts';
import { fillArchive, fillRooms } from './fill.ts';
import type { Place } from './place.ts';
import { RunningServer } from './running-server.ts';
import { ampereIn } from './servers/ampere.ts';
import { Workplace } from './workplace.ts';

/*
 * Measures how a start depends on what is stored: `node test/bench/start-scale.ts --rooms 1000000 --messages 10000000`. Rows are made by SQL.
 * Prints the seconds from the start of the process until a stream is answered, the memory three seconds later in MiB, and milliseconds of
 * some operations of the store.
 */

const { values } = parseArgs({
  options: { rooms: { type: 'string', default: '1000000' }, messages: { type: 'string', default: '10000000' } },
});
const server = ampereIn(resolve(import.meta.dirname, '../..'), false);
const start = cases.find(({ kind }) => kind === 'start');
const starts = 3;

async function measureStarts(place: Place, title: string): Promise<void> {
  if (!start) throw new Error('there is no case for the start');
  for (let count = 0; count < starts; count++) {
    await using running = await RunningServer.start(server, place, { ...start, archive: true, rooms: true });
    await sleep(3000);
    console.log(title.padEnd(40), running.startSeconds.toFixed(2), 's', (running.rssKb / 1024).toFixed(0), 'MiB');
  }
}

async function timed(title: string, work: () => Promise<unknown>): Promise<void> {
  const beganMs = performance.now();
  await work();
  console.log(title.padEnd(40), (performance.now() - beganMs).toFixed(2), 'ms');
}

/** What rooms need of the store while there are many. */
async function useRooms(dataDir: string, rooms: number): Promise<void> {
  const onFatal = (error: Error) => {
    throw error;
  };
  const storage = await openSqliteStorage({ dataDir, onFatal, quickCheck: false });
  const store = storage.rooms;
  const service = `conference.${domain}`;
  const some = `room${Math.floor(rooms / 2)}@${service}`;
  await timed('loading a room, cold', () => store.open(some));
  await timed('loading a room, warm', () => store.open(some));
  await timed('counting the rooms of an owner', () => store.countRooms(`u77@${domain}`));
  await timed('a page of the public rooms', () => store.publicRooms(service, some, 100));
  await timed('the rooms to load at the start', () => store.occupied('', 100));
  await storage.close();
}

const workplace = await Workplace.open();
const place = await workplace.placeFor(server);
const file = join(place.data, 'ampere.db');
const megabytes = () => `${(statSync(file).size / 1e6).toFixed(0)} MB`;
await measureStarts(place, 'with accounts only');
const rooms = Number(values.rooms);
if (rooms > 0) {
  fillRooms(file, rooms);
  await measureStarts(place, `with ${rooms} rooms, ${megabytes()}`);
  await useRooms(place.data, rooms);
}
const messages = Number(values.messages);
if (messages > 0) {
  fillArchive(file, messages);
  await measureStarts(place, `with ${messages} messages, ${megabytes()}`);
}
