import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import type { ArchiveStore } from '../../src/storage/archive.ts';
import { firstIdAt } from '../../src/storage/ordered-ids.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';

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
const others = 10_000;
const startMs = Date.UTC(2025, 0, 1);
const stepMs = 1000;

function fail(error: Error): never {
  throw error;
}

/** Fills the tables as the server would have left them, with everything in the index. */
function fill(file: string): void {
  const db = new Database(file);
  db.pragma('synchronous = OFF');
  const series = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)`;
  db.transaction(() => {
    db.prepare(
      `${series} INSERT INTO accounts (jid, domain, created_at_ms, roster_version, roster_floor)
       SELECT 'user' || i || '@x.example', 'x.example', 1, 1, 1 FROM n`,
    ).run(others);
    db.prepare('INSERT INTO archives (account_id) SELECT id FROM accounts ORDER BY id').run();
    db.prepare(`${series} INSERT INTO archive_peers (jid) SELECT 'peer' || i || '@y.example' FROM n`).run(999);
    // Every other message is one of the first account.
    db.prepare(
      `${series} INSERT INTO archive_messages (id, recipient_archive, recipient_peer, bytes)
       SELECT (@start + i * @step) * 1024, CASE i % 2 WHEN 0 THEN 1 ELSE 2 + (i * 7919) % @others END, 1 + (i * 31) % 1000,
         CAST('<message from="peer@y.example/x" to="user@x.example" id="m' || i || '" type="chat"><body>' ||
           hex(zeroblob(150)) || '</body></message>' AS BLOB) FROM n`.replace('< ?', '< @count'),
    ).run({ count: messages - 1, start: startMs, step: stepMs, others });
    db.prepare(
      `INSERT INTO archive_entries (archive, id, peer)
       SELECT recipient_archive, id, recipient_peer FROM archive_messages ORDER BY recipient_archive, id`,
    ).run();
    db.prepare(
      `UPDATE archives SET entries = c FROM (SELECT archive, count(*) AS c FROM archive_entries GROUP BY archive) AS t
       WHERE t.archive = archives.id`,
    ).run();
    db.prepare('UPDATE archive_progress SET indexed_up_to = (SELECT max(id) FROM archive_messages), changes = 1').run();
  })();
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
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
  const limits = {
    removeBeforeId: firstIdAt(startMs + removed * stepMs),
    maxMessages: Number.MAX_SAFE_INTEGER,
    indexBeforeId: 0,
  };
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
    while (await store.tidy(limits));
  });
  sweeping = false;
  await others;
  console.log(`removal of ${removed} messages             `, took.toFixed(0));
  console.log('a write meanwhile                        ', summary(during));
}

const dataDir = mkdtempSync(join(tmpdir(), 'ampere-archive-'));
try {
  const open = () => openSqliteStorage({ dataDir, onFatal: fail, quickCheck: false });
  await (await open()).close();
  const file = join(dataDir, 'ampere.db');
  console.log(`making ${messages} messages               `, (await timed(async () => fill(file))).toFixed(0));
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
