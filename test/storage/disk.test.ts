import { existsSync, statSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { Ballast } from '../../src/storage/sqlite/ballast.ts';
import { emptyLog, prepareMaintenance } from '../../src/storage/sqlite/maintenance.ts';
import type { SqliteStorageOptions } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { rejection } from './rejection.ts';
import { ampleQuota, sampleCredentials, sampleItem, sampleMessage } from './samples.ts';
import { TestDirectory } from './test-directory.ts';

const juliet = 'juliet@capulet.example';
const ballastBytes = 1_000_000;
const lookEveryMs = 5000;

describe('the ballast', () => {
  const directory = new TestDirectory();

  it('takes its room for real, and gives it back', () => {
    const file = directory.path('ballast');
    const ballast = new Ballast(file, 3_000_000);
    expect(ballast.present).to.equal(false);
    expect(ballast.make()).to.equal(true);
    const { size, blocks, mode } = statSync(file);
    expect(size).to.equal(3_000_000);
    expect(blocks * 512).to.be.at.least(3_000_000);
    expect(mode & 0o777).to.equal(0o600);
    expect(ballast.present).to.equal(true);
    ballast.release();
    expect(existsSync(file)).to.equal(false);
  });

  it('is not there if it has another size', () => {
    const file = directory.path('ballast');
    writeFileSync(file, 'small');
    expect(new Ballast(file, 100).present).to.equal(false);
    expect(new Ballast(file, 0).present).to.equal(false);
  });
});

describe('emptying the log', () => {
  const directory = new TestDirectory();

  it('does not wait for a backup that reads it', () => {
    const db = new Database(directory.path('ampere.db'));
    db.pragma('journal_mode = WAL');
    db.exec('CREATE TABLE things (id INTEGER PRIMARY KEY)');
    const backup = new Database(directory.path('ampere.db'), { readonly: true });
    backup.exec('BEGIN; SELECT count(*) FROM things');
    const walBytes = () => statSync(directory.path('ampere.db-wal')).size;
    // Far longer than the time limit of this test.
    db.pragma('busy_timeout = 3600000');
    emptyLog(db);
    expect(walBytes()).to.be.greaterThan(0);
    expect(db.pragma('busy_timeout', { simple: true })).to.equal(3_600_000);
    backup.close();
    emptyLog(db);
    expect(walBytes()).to.equal(0);
    db.close();
  });
});

describe('reclaiming space', () => {
  const directory = new TestDirectory();

  it('empties the log in the space of the ballast if there is no other', () => {
    const db = new Database(directory.path('ampere.db'));
    db.pragma('journal_mode = WAL');
    db.exec('CREATE TABLE things (bytes BLOB); INSERT INTO things VALUES (zeroblob(100000)); DELETE FROM things');
    const ballast = new Ballast(directory.path('ballast'), 5000);
    ballast.make();
    const seen: boolean[] = [];
    // A disk on which a checkpoint needs the space of the ballast.
    const pragma = db.pragma.bind(db);
    db.pragma = (source, options) => {
      if (!source.startsWith('wal_checkpoint')) return pragma(source, options);
      seen.push(ballast.present);
      if (ballast.present) throw new Database.SqliteError('database or disk is full', 'SQLITE_FULL');
      return pragma(source, options);
    };
    const { reusableBytes, hasBallast } = prepareMaintenance(db, ballast).reclaimSpace();
    expect(seen).to.deep.equal([true, false]);
    expect(statSync(directory.path('ampere.db-wal')).size).to.equal(0);
    expect(hasBallast).to.equal(true);
    expect(reusableBytes).to.be.within(90_000, 110_000);
    db.close();
  });
});

describe('a store that watches its disk', () => {
  const directory = new TestDirectory();
  let freeBytes: number;
  let clock: ManualClock;
  let log: RecordingLog;

  beforeEach(() => {
    freeBytes = 100 * ballastBytes;
    clock = new ManualClock();
    log = new RecordingLog();
  });

  const open = (options: Partial<SqliteStorageOptions> = {}) => {
    const diskSpace = () => ({ freeBytes, totalBytes: 200 * ballastBytes });
    return directory.open({ ballastBytes, diskSpace, clock, log, ...options });
  };
  const ballast = () => directory.path('ampere.ballast');
  const walBytes = () => statSync(directory.path('ampere.db-wal')).size;
  /** Storage works in order: when this is answered, what was asked before is done. */
  const settled = async (storage: Awaited<ReturnType<typeof open>>) => void (await storage.accounts.count());
  const lines = (level: string) => log.lines.filter((line) => line.startsWith(level));

  it('has a ballast beside it, of the size that is configured now', async () => {
    const first = await open();
    await settled(first);
    expect(statSync(ballast()).size).to.equal(ballastBytes);
    await first.close();
    const second = await open({ ballastBytes: 5000 });
    await settled(second);
    expect(statSync(ballast()).size).to.equal(5000);
    await second.close();
    await (await open({ ballastBytes: 0 })).close();
    expect(existsSync(ballast())).to.equal(false);
  });

  it('refuses new work while little is free, and nothing else', async () => {
    const storage = await open();
    await storage.accounts.create(juliet, sampleCredentials());
    const append = (moved = false) => storage.offline.append(juliet, { ...sampleMessage('x'), moved }, ampleQuota);
    const kept = await append();
    const stanza = { sequence: 1, receivedAtMs: 0, bytes: Buffer.from('x') };
    const copy = await storage.resumption.add(juliet, undefined, stanza);
    freeBytes = 2 * ballastBytes - 1;
    clock.advance(lookEveryMs);
    expect(storage.disk).to.deep.equal({ freeBytes, totalBytes: 200 * ballastBytes, refusing: true });
    expect(lines('error')).to.have.lengthOf(1);
    expect(lines('warn')).to.have.lengthOf(1);

    const refused = await Promise.all(
      [
        append(),
        storage.accounts.create('new@capulet.example', sampleCredentials()),
        storage.accounts.createMany([{ jid: 'new@capulet.example', credentials: sampleCredentials() }]),
        storage.accounts.setForward(juliet, 'nurse@capulet.example'),
        storage.rosters.put(juliet, sampleItem('romeo@montague.example')),
        storage.privateXml.set(juliet, 'a', 'b', '<a/>', 1000),
        storage.vcards.set(juliet, '<vCard/>'),
        storage.blocklists.add(juliet, ['paris@capulet.example']),
        storage.resumption.add(juliet, undefined, stanza),
        storage.outgoing.add(stanza),
      ].map(rejection),
    );
    expect(refused.map(({ code }) => code)).to.deep.equal(refused.map(() => 'full'));

    await storage.accounts.setCredentials(juliet, sampleCredentials());
    await storage.accounts.setLastSeen(juliet, 1, 'away');
    await storage.rosters.remove(juliet, 'romeo@montague.example');
    const session = { key: 'key', owner: juliet, resource: 'balcony', maxSeconds: 60, state: '{}' };
    await storage.resumption.open(session);
    await storage.resumption.handled('key', 7);
    await storage.resumption.end('key', 8, 1, 0);
    await storage.resumption.remove([copy]);
    await append(true);
    await storage.offline.remove(juliet, [kept]);
    expect(await storage.offline.count(juliet)).to.deep.equal({ messages: 1, bytes: 1 });
    expect(await storage.resumption.handledBeforeEnd('key', juliet)).to.equal(8);
    await storage.accounts.remove(juliet);

    freeBytes = 2 * ballastBytes;
    clock.advance(lookEveryMs);
    expect(storage.disk.refusing).to.equal(false);
    await storage.accounts.create('new@capulet.example', sampleCredentials());
    expect(lines('error')).to.have.lengthOf(1);
  });

  it('looks at once when much has been written, however fast that was', async () => {
    const storage = await open();
    await storage.accounts.create(juliet, sampleCredentials());
    freeBytes = 2 * ballastBytes - 1;
    const large = { ...sampleMessage('x'), bytes: Buffer.alloc(ballastBytes / 8) };
    await storage.offline.append(juliet, large, ampleQuota);
    expect(storage.disk.refusing).to.equal(true);
    expect((await rejection(storage.offline.append(juliet, large, ampleQuota))).code).to.equal('full');
  });

  it('warns once below a tenth, and again only if it was better in between', async () => {
    await open({ ballastBytes: 0 });
    for (const [share, warnings] of [
      [0.11, 0],
      [0.099, 1],
      [0.05, 1],
      [0.12, 1],
      [0.09, 1],
      [0.16, 1],
      [0.09, 2],
    ] as const) {
      freeBytes = share * 200 * ballastBytes;
      clock.advance(lookEveryMs);
      expect(lines('warn'), `at ${share}`).to.have.lengthOf(warnings);
    }
  });

  it('deletes the ballast for the writes that add nothing when one does not fit, and makes it again later', async () => {
    const storage = await open({ maxPageCount: await directory.pageCountWith(50) });
    await storage.accounts.create(juliet, sampleCredentials());
    const append = (bytes: number) => storage.offline.append(juliet, sampleMessage('x'.repeat(bytes)), ampleQuota);
    const [one, two] = await Promise.all([append(50_000), append(50_000)]);
    const [first, large, removed, last] = await Promise.all([
      rejection(append(10)),
      rejection(append(200_000)),
      storage.offline.remove(juliet, [one]),
      rejection(storage.vcards.set(juliet, '<vCard/>')),
    ]);
    expect([first.code, large.code, last.code]).to.deep.equal(['full', 'full', 'full']);
    expect(removed.unarchived).to.deep.equal({ messages: 1, bytes: 50_000 });
    expect((await storage.offline.list(juliet, 0, 10)).map(({ id }) => id)).to.deep.equal([two]);
    expect(existsSync(ballast())).to.equal(false);
    expect(statSync(directory.path('ampere.db-wal')).size).to.equal(0);
    expect(storage.disk.refusing).to.equal(true);
    expect(lines('error')).to.have.lengthOf(1);
    expect((await rejection(append(10))).code).to.equal('full');

    // The database can have less than half of the ballast in free pages here.
    freeBytes = 2.5 * ballastBytes - 1;
    clock.advance(lookEveryMs);
    await settled(storage);
    await settled(storage);
    expect(existsSync(ballast())).to.equal(false);
    freeBytes = 3 * ballastBytes;
    clock.advance(lookEveryMs);
    await settled(storage);
    await settled(storage);
    expect(statSync(ballast()).size).to.equal(ballastBytes);
    expect(storage.disk.refusing).to.equal(false);
    await append(10);
  });

  it('empties its log while little is free, and counts the free pages of the database', async () => {
    const storage = await open();
    await storage.accounts.create(juliet, sampleCredentials());
    const append = (bytes: number) => storage.offline.append(juliet, sampleMessage('x'.repeat(bytes)), ampleQuota);
    const id = await append(1_500_000);
    freeBytes = 3 * ballastBytes;
    clock.advance(lookEveryMs);
    await settled(storage);
    expect(walBytes()).to.be.greaterThan(1_500_000);
    freeBytes = 3 * ballastBytes - 1;
    clock.advance(lookEveryMs);
    await settled(storage);
    expect(walBytes()).to.equal(0);

    freeBytes = ballastBytes;
    clock.advance(lookEveryMs);
    await settled(storage);
    expect((await rejection(append(10))).code).to.equal('full');
    await storage.offline.remove(juliet, [id]);
    clock.advance(lookEveryMs);
    await settled(storage);
    expect(storage.disk.refusing).to.equal(false);
    await append(10);
    expect(lines('info').at(-1)).to.include('enough disk space is free again');
    // Free pages do not help without space for the log.
    freeBytes = ballastBytes / 8 - 1;
    clock.advance(lookEveryMs);
    await settled(storage);
    expect((await rejection(append(10))).code).to.equal('full');
  });

  it('gives the ballast before it opens a database on a full disk', async () => {
    const first = await open();
    await settled(first);
    await first.close();
    freeBytes = ballastBytes / 8 - 1;
    const second = await open();
    expect(existsSync(ballast())).to.equal(false);
    expect(second.disk.refusing).to.equal(true);
    await second.close();
  });

  it('keeps the ballast at the start while there is something left', async () => {
    const first = await open();
    await settled(first);
    await first.close();
    freeBytes = ballastBytes / 8;
    const second = await open();
    expect(existsSync(ballast())).to.equal(true);
    expect(second.disk.refusing).to.equal(true);
  });

  it('refuses nothing early without a ballast, and leaves one alone that it was not asked about', async () => {
    const first = await open();
    await settled(first);
    await first.close();
    freeBytes = 10;
    const { ballastBytes: _, ...unasked } = { ballastBytes, log, clock };
    const second = await directory.open({ ...unasked });
    await second.accounts.create(juliet, sampleCredentials());
    expect(existsSync(ballast())).to.equal(true);
    await second.close();
    const third = await open({ ballastBytes: 0 });
    await third.vcards.set(juliet, '<vCard/>');
    expect(third.disk.refusing).to.equal(false);
  });
});
