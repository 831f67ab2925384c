import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { configureConnection, requireSafeVersion } from '../../src/storage/sqlite/configure-connection.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { rejection } from './rejection.ts';
import { sampleCredentials } from './samples.ts';
import { TestDirectory } from './test-directory.ts';

const program = fileURLToPath(new URL('./storage-program.ts', import.meta.url));
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('the data directory', () => {
  const directory = new TestDirectory();

  it('is made, with its parents, and is closed to others', async () => {
    const dataDir = directory.path('a', 'b');
    const storage = await directory.open({ dataDir });
    await storage.accounts.create('juliet@capulet.example', sampleCredentials());
    await storage.backup(directory.path('copy.db'));
    expect(modeOf(dataDir)).to.equal('700');
    const files = readdirSync(dataDir).map((name) => directory.path('a', 'b', name));
    expect(files).to.include(directory.path('a', 'b', 'ampere.db-wal'));
    expect(new Set([...files, directory.path('copy.db')].map(modeOf))).to.deep.equal(new Set(['600']));
  });

  it('survives a power cut with its parents, also when it is new', function () {
    if (spawnSync('strace', ['-V']).error) this.skip();
    const dataDir = directory.path('new', 'in', 'new');
    const trace = ['-f', '-y', '-e', 'trace=fsync', process.execPath, program, 'open', dataDir];
    const { stderr } = spawnSync('strace', trace, { encoding: 'utf8' });
    const synced = [...stderr.matchAll(/fsync\(\d+<(.*?)>/g)].map((match) => match[1]);
    const parents = [directory.dataDir, directory.path('new'), directory.path('new', 'in'), dataDir];
    expect(synced).to.include.members(parents);
  });

  it('is closed to others again if it was opened to them', async () => {
    const first = await directory.open();
    await first.close();
    chmodSync(directory.dataDir, 0o755);
    chmodSync(directory.path('ampere.db'), 0o644);
    await directory.open();
    expect(modeOf(directory.dataDir)).to.equal('700');
    expect(modeOf(directory.path('ampere.db'))).to.equal('600');
    expect(modeOf(directory.path('ampere.db-wal'))).to.equal('600');
  });

  it('keeps its mode if it serves other things too', async () => {
    const dataDir = directory.path('shared');
    mkdirSync(directory.path('shared', 'other'), { recursive: true });
    chmodSync(dataDir, 0o755);
    await directory.open({ dataDir });
    expect(modeOf(dataDir)).to.equal('755');
    expect(modeOf(directory.path('shared', 'ampere.db'))).to.equal('600');
  });

  it('holds one complete file after closing', async () => {
    const storage = await directory.open();
    await storage.accounts.create('juliet@capulet.example', sampleCredentials());
    await storage.close();
    expect(readdirSync(directory.dataDir)).to.have.members(['ampere.db', 'ampere.lock']);
  });
});

describe('the lock on the data directory', () => {
  const directory = new TestDirectory();
  const openElsewhere = () => {
    const { stdout } = spawnSync(process.execPath, [program, 'open', directory.dataDir], { encoding: 'utf8' });
    return stdout;
  };

  it('keeps other processes out and names its holder', async () => {
    await directory.open();
    expect(openElsewhere())
      .to.match(/^locked: /)
      .and.to.include(directory.dataDir)
      .and.to.include(`process ${process.pid};`);
  });

  it('keeps a second store of the same process out, and stays', async () => {
    await directory.open();
    expect((await rejection(directory.open())).code).to.equal('locked');
    expect(openElsewhere()).to.match(/^locked: /);
  });

  it('ends with the store', async () => {
    await (await directory.open()).close();
    await directory.open();
  });
});

describe('a database that must not be used', () => {
  const directory = new TestDirectory();

  async function fill(): Promise<void> {
    const storage = await directory.open();
    const accounts = Array.from({ length: 500 }, (_, index) => ({
      jid: `u${index}@x.example`,
      credentials: sampleCredentials(),
    }));
    await storage.accounts.createMany(accounts);
    mkdirSync(directory.path('backups'));
    await storage.backup(directory.path('backups', 'good.db'));
    await storage.close();
  }

  /** Overwrites the root of a table. */
  function damage(table: string): void {
    const db = new Database(directory.path('ampere.db'));
    const page = db.prepare<[string], number>('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(table);
    db.close();
    const file = openSync(directory.path('ampere.db'), 'r+');
    writeSync(file, Buffer.alloc(4096, 0xff), 0, 4096, ((page ?? Number.NaN) - 1) * 4096);
    closeSync(file);
  }

  it('is refused at the start if it is damaged, with a way on', async () => {
    await fill();
    damage('accounts');
    const error = await rejection(directory.open());
    expect(error.code).to.equal('corrupt');
    expect(error.message).to.include(directory.path('ampere.db')).and.to.include(directory.path('backups', 'good.db'));
    expect(existsSync(directory.path('ampere.pid'))).to.equal(false);
  });

  it('is not checked if that would take long', async () => {
    await fill();
    damage('accounts');
    truncateSync(directory.path('ampere.db'), 257 * 1024 * 1024);
    const storage = await directory.open({ onFatal: () => undefined });
    expect((await rejection(storage.accounts.credentials('u1@x.example'))).code).to.equal('corrupt');
    await storage.close();
  });

  it('is refused if it is no database', async () => {
    writeFileSync(directory.path('ampere.db'), 'These violent delights have violent ends. '.repeat(200));
    const error = await rejection(directory.open());
    expect(error.code).to.equal('corrupt');
    expect(error.message).to.include(directory.path('ampere.db')).and.to.include('no backup');
  });

  it('ends the store, once, if damage shows later', async () => {
    await fill();
    damage('accounts');
    const fatal: Error[] = [];
    const storage = await directory.open({ quickCheck: false, onFatal: (error) => fatal.push(error) });
    const outcomes = await Promise.all([
      rejection(storage.accounts.credentials('u1@x.example')),
      rejection(storage.accounts.create('new@x.example', sampleCredentials())),
    ]);
    expect(outcomes.map(({ code }) => code)).to.deep.equal(['corrupt', 'corrupt']);
    expect((await rejection(storage.accounts.count())).code).to.equal('io');
    await storage.close();
    expect(fatal.map(({ message }) => message)).to.have.lengthOf(1);
    expect(fatal[0]?.message).to.include(directory.path('backups', 'good.db'));
  });

  it('is refused if it is not one of ours', async () => {
    const db = new Database(directory.path('ampere.db'));
    db.exec('CREATE TABLE recipes (name TEXT)');
    db.close();
    expect((await rejection(directory.open())).code).to.equal('schema');
  });
});

describe('the settings of a connection', () => {
  const directory = new TestDirectory();

  it('are those that durability rests on', () => {
    const db = new Database(directory.path('settings.db'));
    configureConnection(db);
    const read = (pragma: string) => db.pragma(pragma, { simple: true });
    expect(read('journal_mode')).to.equal('wal');
    expect(read('synchronous')).to.equal(2);
    expect(read('foreign_keys')).to.equal(1);
    expect(read('trusted_schema')).to.equal(0);
    expect(read('cell_size_check')).to.equal(1);
    expect(read('busy_timeout')).to.equal(5000);
    expect(read('journal_size_limit')).to.equal(64 * 1024 * 1024);
    db.close();
  });

  it('keep the log so small that the ballast pays for what it adds to the database', () => {
    const db = new Database(directory.path('settings.db'));
    for (const [ballastBytes, pages] of [
      [0, 1000],
      [32 * 1024 * 1024, 1000],
      [1024 * 1024, 64],
      [1, 1],
    ] as const) {
      configureConnection(db, ballastBytes);
      expect(db.pragma('wal_autocheckpoint', { simple: true }), `${ballastBytes} bytes`).to.equal(pages);
    }
    db.close();
  });

  it('are asserted, not hoped for', () => {
    const db = new Database(':memory:');
    expect(() => configureConnection(db)).to.throw(StorageError, 'journal_mode');
    db.close();
  });

  it('need an SQLite without the bug that corrupts logs', () => {
    for (const version of ['3.51.3', '3.51.10', '3.53.0', '4.0.0'])
      expect(() => requireSafeVersion(version)).not.to.throw();
    for (const version of ['3.51.2', '3.50.9', '3.7.17', '2.99.99', '']) {
      expect(() => requireSafeVersion(version)).to.throw(StorageError, 'too old');
    }
  });
});
