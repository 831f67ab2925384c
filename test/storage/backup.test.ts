import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { restoreDatabase } from '../../src/storage/sqlite/restore-database.ts';
import { rejection } from './rejection.ts';
import { ampleQuota, sampleCredentials, sampleItem, sampleMessage } from './samples.ts';
import { TestDirectory } from './test-directory.ts';

const juliet = 'juliet@capulet.example';
const program = fileURLToPath(new URL('./storage-program.ts', import.meta.url));

describe('backup', () => {
  const directory = new TestDirectory();

  it('made under load holds everything that was acknowledged before', async () => {
    const storage = await directory.open();
    await storage.accounts.create(juliet, sampleCredentials());
    const acknowledged: number[] = [];
    let finished = false;
    const load = async (): Promise<void> => {
      while (!finished) acknowledged.push(await storage.offline.append(juliet, sampleMessage('hark'), ampleQuota));
    };
    const loads = Array.from({ length: 20 }, load);
    while (acknowledged.length < 500) await storage.accounts.count();
    const before = [...acknowledged];
    await storage.backup(directory.path('copy.db'));
    const during = acknowledged.length - before.length;
    finished = true;
    await Promise.all(loads);
    expect(during).to.be.greaterThan(0);

    const dataDir = directory.path('restored');
    expect(await restoreDatabase(directory.path('copy.db'), dataDir)).to.equal(undefined);
    const restored = await directory.open({ dataDir });
    const ids = new Set((await restored.offline.list(juliet, 0, 1_000_000)).map(({ id }) => id));
    expect(before.filter((id) => !ids.has(id))).to.deep.equal([]);
    expect((await restored.offline.count(juliet)).messages).to.equal(ids.size);
  });

  it('never overwrites, and leaves no part behind when it fails', async () => {
    const storage = await directory.open();
    writeFileSync(directory.path('precious.db'), 'precious');
    expect((await rejection(storage.backup(directory.path('precious.db')))).code).to.equal('conflict');
    expect((await rejection(storage.backup(directory.path('missing', 'copy.db')))).code).to.equal('io');
    expect(readdirSync(directory.dataDir).filter((name) => name.includes('part'))).to.deep.equal([]);
    expect(await storage.accounts.count()).to.equal(0);
  });

  it('is finished before the store closes, and refused after', async () => {
    const storage = await directory.open();
    const backup = storage.backup(directory.path('last.db'));
    const closed = storage.close();
    expect((await rejection(storage.backup(directory.path('late.db')))).code).to.equal('closed');
    await closed;
    expect(existsSync(directory.path('last.db'))).to.equal(true);
    await backup;
  });

  it('has a name with any characters', async () => {
    const storage = await directory.open();
    await storage.backup(directory.path(`it's "a" copy; --.db`));
    expect(readdirSync(directory.dataDir)).to.include(`it's "a" copy; --.db`);
  });
});

describe('restoring', () => {
  const directory = new TestDirectory();
  const copy = () => directory.path('copy.db');

  /** A closed store with one account, of which there is a backup, and one that came later. */
  async function prepare(): Promise<string> {
    const dataDir = directory.path('data');
    const storage = await directory.open({ dataDir });
    await storage.accounts.create(juliet, sampleCredentials());
    await storage.backup(copy());
    await storage.accounts.create('later@capulet.example', sampleCredentials());
    copyFileSync(directory.path('data', 'ampere.db-wal'), directory.path('log'));
    await storage.close();
    return dataDir;
  }

  it('puts the backup in place, keeps what it replaces, and replays no old log', async () => {
    const dataDir = await prepare();
    // As it lies there after a kill.
    copyFileSync(directory.path('log'), directory.path('data', 'ampere.db-wal'));
    const kept = await restoreDatabase(copy(), dataDir);
    const restored = await directory.open({ dataDir });
    expect(await restored.accounts.list({ limit: 10 })).to.deep.equal([juliet]);
    const old = new Database(kept ?? '', { readonly: true });
    expect(old.prepare('SELECT count(*) FROM accounts').pluck().get()).to.equal(2);
    old.close();
  });

  it('leaves nothing of the old database in its log, which has to go before the new one comes', async () => {
    const dataDir = directory.path('killed');
    spawnSync(process.execPath, [program, 'leave', dataDir]);
    expect(statSync(directory.path('killed', 'ampere.db-wal')).size).to.be.greaterThan(0);
    await prepare();
    const kept = (await restoreDatabase(copy(), dataDir)) ?? '';
    expect(existsSync(`${kept}-wal`)).to.equal(false);
    const old = new Database(kept, { readonly: true });
    expect(old.prepare('SELECT jid FROM accounts').pluck().all()).to.deep.equal(['left@capulet.example']);
    old.close();
  });

  it('takes the place of a damaged database, too, and keeps that as it was', async () => {
    const dataDir = await prepare();
    writeFileSync(directory.path('data', 'ampere.db'), 'no database');
    writeFileSync(directory.path('data', 'ampere.db-wal'), 'no log');
    const kept = (await restoreDatabase(copy(), dataDir)) ?? '';
    expect(readFileSync(kept, 'utf8')).to.equal('no database');
    expect(readFileSync(`${kept}-wal`, 'utf8')).to.equal('no log');
    expect(await (await directory.open({ dataDir })).accounts.list({ limit: 10 })).to.deep.equal([juliet]);
  });

  it('leaves no trace of one that was interrupted before the last step', async () => {
    const dataDir = directory.path('killed');
    spawnSync(process.execPath, [program, 'leave', dataDir]);
    const inside = (name: string) => directory.path('killed', name);
    for (const suffix of ['', '-wal']) linkSync(inside(`ampere.db${suffix}`), inside(`replaced-today.db${suffix}`));
    writeFileSync(inside('replaced-before.db'), 'another one');
    writeFileSync(inside('restoring.db'), 'half a copy');
    const storage = await directory.open({ dataDir });
    expect(readdirSync(dataDir).filter((name) => name.startsWith('re'))).to.deep.equal(['replaced-before.db']);
    expect(await storage.accounts.list({ limit: 10 })).to.deep.equal(['left@capulet.example']);
  });

  it('gives a database its log back if the next step was missing', async () => {
    const dataDir = directory.path('killed');
    spawnSync(process.execPath, [program, 'leave', dataDir]);
    const inside = (name: string) => directory.path('killed', name);
    linkSync(inside('ampere.db'), inside('replaced-today.db'));
    renameSync(inside('ampere.db-wal'), inside('replaced-today.db-wal'));
    const storage = await directory.open({ dataDir });
    expect(await storage.accounts.list({ limit: 10 })).to.deep.equal(['left@capulet.example']);
  });

  it('lets no roster version mean two things', async () => {
    const dataDir = directory.path('data');
    const storage = await directory.open({ dataDir });
    await storage.accounts.create(juliet, sampleCredentials());
    await storage.rosters.put(juliet, sampleItem('a@x.example'));
    await storage.backup(copy());
    const lost = await storage.rosters.put(juliet, sampleItem('b@x.example'));
    await storage.close();
    await restoreDatabase(copy(), dataDir);
    const restored = await directory.open({ dataDir });
    expect(await restored.rosters.put(juliet, sampleItem('c@x.example'))).to.be.greaterThan(lost);
    expect(await restored.rosters.changedSince(juliet, lost)).to.equal(undefined);
  });

  it('lets nobody come back to a session of then, whose messages go on their way', async () => {
    const dataDir = directory.path('data');
    const storage = await directory.open({ dataDir });
    await storage.accounts.create(juliet, sampleCredentials());
    const session = { key: 'k', owner: juliet, resource: 'balcony', maxSeconds: 60, state: '{}' };
    await storage.resumption.open(session);
    await storage.resumption.add(juliet, 'k', { sequence: 1, receivedAtMs: 1, bytes: Buffer.from('<message/>') });
    await storage.backup(copy());
    await storage.resumption.handled('k', 7);
    await storage.close();
    await restoreDatabase(copy(), dataDir);
    const restored = await directory.open({ dataDir });
    expect(await restored.resumption.living(2)).to.deep.equal([]);
    expect(await restored.resumption.handledBeforeEnd('k', juliet)).to.equal(undefined);
    expect(await restored.resumption.strays(0, 10)).to.have.length(1);
  });

  it('refuses while the server runs', async () => {
    const dataDir = await prepare();
    const storage = await directory.open({ dataDir });
    expect((await rejection(restoreDatabase(copy(), dataDir))).code).to.equal('locked');
    expect(await storage.accounts.count()).to.equal(2);
  });

  it('leaves the database alone if the backup is missing, damaged, foreign or newer', async () => {
    const dataDir = await prepare();
    writeFileSync(directory.path('damaged.db'), 'no database '.repeat(1_000));
    makeDatabase('foreign.db', 'CREATE TABLE recipes (name TEXT)');
    makeDatabase('empty.db', 'SELECT 1');
    makeDatabase('newer.db', 'PRAGMA application_id = 0x414d5052; CREATE TABLE t (a); PRAGMA user_version = 9999');
    const codes: string[] = [];
    for (const name of ['missing.db', 'damaged.db', 'foreign.db', 'empty.db', 'newer.db'])
      codes.push((await rejection(restoreDatabase(directory.path(name), dataDir))).code);
    expect(codes).to.deep.equal(['not-found', 'corrupt', 'schema', 'schema', 'schema']);
    expect(readdirSync(dataDir)).to.have.members(['ampere.db', 'ampere.lock']);
    expect(await (await directory.open({ dataDir })).accounts.count()).to.equal(2);
  });

  function makeDatabase(name: string, sql: string): void {
    const db = new Database(directory.path(name));
    db.exec(sql);
    db.close();
  }
});
