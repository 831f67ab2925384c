import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { archiveRetention } from '../../src/archives/retention.ts';
import type { ArchiveStore } from '../../src/storage/archive.ts';
import { firstIdAt } from '../../src/storage/ordered-ids.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { systemClock } from '../../src/support/clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { fillArchive, otherArchives as others, startMs, stepMs } from './fill.ts';

/*
 * Measures large archives: `node test/bench/archive-scale.ts --messages 1000000 --removed 300000`. One account owns half of the messages,
 * 10,000 others share the rest. Rows are made by SQL, everything else goes through the store. Prints milliseconds.
 */

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    removed: { type: 'string', default: '300000' },
  },
});
const messages = Number(values.messages);
const removed = Number(values.removed);
const dayMs = 86_400_000;

function fail(error: Error): never {
  throw error;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

/** The middle and the 99th percentile. */
function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0).toFixed(2);
  return `p50 ${at(0.5)}  p99 ${at(0.99)}  max ${at(1)}`;
}

async function pages(store: ArchiveStore): Promise<void> {
  const all = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
  const last = (archive: number) => timed(() => store.page(archive, all, 51, 'last'));
  console.log('last 50 of the large archive, first time ', (await last(1)).toFixed(2));
  const anywhere = () => {
    const afterId = firstIdAt(startMs + Math.floor(Math.random() * messages) * stepMs);
    return timed(() => store.page(1, { ...all, afterId }, 51, 'first'));
  };
  const first: number[] = [];
  for (let n = 0; n < 200; n++) first.push(await anywhere());
  console.log('50 anywhere, mostly cold                 ', summary(first));
  const [warm, small]: [number[], number[]] = [[], []];
  for (let n = 0; n < 500; n++) warm.push(await last(1));
  for (let n = 0; n < 500; n++) small.push(await last(2 + Math.floor(Math.random() * others)));
  console.log('last 50 of the large archive, warm       ', summary(warm));
  console.log('last 50 of small archives                ', summary(small));
}

/** Removes the oldest messages, while somebody else writes and waits for the disk each time. */
async function sweep(store: ArchiveStore): Promise<void> {
  const nowMs = startMs + removed * stepMs + dayMs;
  const retention = archiveRetention({
    store,
    options: { keepDays: 1, maxPerArchive: null },
    clock: { ...systemClock, nowMs: () => nowMs },
    log: new RecordingLog(),
  });
  const append = () =>
    timed(() =>
      store.append({
        id: store.newId(),
        bytes: Buffer.alloc(400, 'x'),
        recipient: { archive: 1, peer: 'peer1@y.example' },
      }),
    );
  const quiet: number[] = [];
  for (let n = 0; n < 200; n++) quiet.push(await append());
  console.log('a write while nothing is removed         ', summary(quiet));
  let sweeping = true;
  const during: number[] = [];
  const others = (async () => {
    while (sweeping) during.push(await append());
  })();
  const took = await timed(async () => {
    retention.start();
    retention.wake();
    await retention.settled();
  });
  sweeping = false;
  await retention.stop();
  await others;
  console.log(`removal of ${removed} messages             `, took.toFixed(0));
  console.log('a write meanwhile                        ', summary(during));
}

const dataDir = mkdtempSync(join(tmpdir(), 'ampere-archive-'));
try {
  const open = () => openSqliteStorage({ dataDir, onFatal: fail, quickCheck: false });
  await (await open()).close();
  const file = join(dataDir, 'ampere.db');
  console.log(
    `making ${messages} messages               `,
    (await timed(async () => fillArchive(file, messages))).toFixed(0),
  );
  console.log('size of the database in MB               ', (statSync(file).size / 1e6).toFixed(0));
  let storage = await open();
  await pages(storage.archive);
  await sweep(storage.archive);
  await storage.close();
  console.log(
    'start                                    ',
    (await timed(async () => (storage = await open()))).toFixed(0),
  );
  await storage.close();
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
