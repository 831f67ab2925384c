import Database from 'better-sqlite3';
import { expect } from 'chai';
import { archive } from '../../src/storage/sqlite/families/archive/archive.ts';
import { inTime, prepareOverfull } from '../../src/storage/sqlite/families/tidying.ts';
import type { Operations } from '../../src/storage/sqlite/family.ts';
import { migrate } from '../../src/storage/sqlite/migrate.ts';
import { defaultMigrationsDir } from '../../src/storage/sqlite/open-sqlite-storage.ts';

describe('An operation that tidies up', () => {
  const { now } = performance;
  let nowMs = 0;
  /** How long a look at the clock takes: the work of a portion. */
  let portionMs = 0;
  let db: Database.Database;
  beforeEach(() => {
    [nowMs, portionMs] = [0, 0];
    performance.now = () => (nowMs += portionMs);
    db = new Database(':memory:');
    migrate(db, defaultMigrationsDir, '.');
  });
  afterEach(() => {
    performance.now = now;
    db.close();
  });

  const rows = (count: number) =>
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) INSERT INTO`;
  const count = (table: string) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  const write = (name: string): Operations[string] => archive.prepare(db).writes[name]!;
  const limits = { removeBeforeId: 1_000_000, maxMessages: Number.MAX_SAFE_INTEGER, indexBeforeId: 0 };

  function fillArchive(messages: number): void {
    db.exec(`INSERT INTO archives (id, entries) VALUES (1, ${messages})`);
    db.exec(
      `${rows(messages)} archive_messages (id, recipient_archive, recipient_peer, bytes) SELECT i, 1, 1, x'00' FROM n`,
    );
    db.exec(`${rows(messages)} archive_entries (archive, id, peer) SELECT 1, i, 1 FROM n`);
    db.exec(`UPDATE archive_progress SET indexed_up_to = ${messages}`);
  }

  const speeds: readonly (readonly [disk: string, portionMs: number, removed: number])[] = [
    ['fast', 0, 250],
    ['slow', 2, 75],
    ['very slow', 1000, 25],
  ];
  for (const [disk, ms, removed] of speeds) {
    it(`removes ${removed} messages if the disk is ${disk}`, () => {
      fillArchive(1000);
      portionMs = ms;
      write('tidy')(...([limits, [1]] as never[]));
      expect(count('archive_messages')).to.equal(1000 - removed);
      expect(count('archive_entries')).to.equal(1000 - removed);
    });
  }

  it('ends when nothing is left, or when it has done enough', () => {
    const asked: number[] = [];
    const some = inTime(60, (wanted) => {
      asked.push(wanted);
      return wanted;
    });
    expect([some, asked]).to.deep.equal([60, [25, 25, 10]]);
    expect(inTime(60, () => 7)).to.equal(7);
    expect(inTime(0, () => 7)).to.equal(0);
  });

  it('looks at some archives at a time for one with too many messages, and goes on from there', () => {
    db.exec(`${rows(5000)} archives (id, entries) SELECT i, CASE WHEN i IN (2500, 4500) THEN 10 ELSE 1 END FROM n`);
    const next = prepareOverfull(db, { table: 'archives', owner: 'id', count: 'entries' });
    const removed = db.prepare<[number]>('UPDATE archives SET entries = 3 WHERE id = ?');
    for (let pass = 0; pass < 2; pass++) {
      db.exec('UPDATE archives SET entries = 10 WHERE id IN (2500, 4500)');
      expect(next(3)).to.equal(true);
      expect(next(3)).to.deep.equal({ owner: 2500, excess: 7 });
      // As long as it has too many, it is found again.
      expect(next(3)).to.deep.equal({ owner: 2500, excess: 7 });
      removed.run(2500);
      expect(next(3)).to.equal(true);
      expect(next(3)).to.deep.equal({ owner: 4500, excess: 7 });
      removed.run(4500);
      expect(next(3)).to.equal(false);
    }
    expect(next(Number.MAX_SAFE_INTEGER)).to.equal(false);
  });

  const plans: readonly (readonly [what: string, query: string, plan: string])[] = [
    [
      'the archives with too many messages',
      'SELECT id FROM archives WHERE id > 1 AND id <= 2 AND entries > 3 ORDER BY id LIMIT 1',
      'SEARCH archives USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)',
    ],
    [
      'archives without an owner',
      'SELECT id FROM archives WHERE account_id IS NULL LIMIT 1',
      'SEARCH archives USING COVERING INDEX sqlite_autoindex_archives_1 (account_id=?)',
    ],
    [
      'old messages',
      'SELECT id, sender_archive FROM archive_messages WHERE id < 5 ORDER BY id LIMIT 25',
      'SEARCH archive_messages USING INTEGER PRIMARY KEY (rowid<?)',
    ],
  ];
  for (const [what, query, plan] of plans) {
    it(`finds ${what} by an index`, () => {
      const found = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${query}`).all();
      expect(found.map(({ detail }) => detail)).to.deep.equal([plan]);
    });
  }
});
