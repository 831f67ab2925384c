import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { defaultMigrationsDir } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { silentLog } from '../../src/support/log.ts';
import { rejection } from './rejection.ts';
import { sampleCredentials } from './samples.ts';
import { TestDirectory } from './test-directory.ts';

const juliet = 'juliet@capulet.example';
const newest = readdirSync(defaultMigrationsDir).length;

/** The name of the migration that comes so many after the newest. */
const later = (steps: number, name: string) => `${String(newest + steps).padStart(4, '0')}-${name}.sql`;

describe('migrations', () => {
  const directory = new TestDirectory();

  /** A directory with today's migrations and the given later ones. */
  function migrations(added: Record<string, string> = {}): string {
    const dir = directory.path(`migrations-${Object.keys(added).length}-${Object.values(added).join('').length}`);
    mkdirSync(dir);
    for (const name of readdirSync(defaultMigrationsDir)) {
      copyFileSync(join(defaultMigrationsDir, name), join(dir, name));
    }
    for (const [name, sql] of Object.entries(added)) writeFileSync(join(dir, name), sql);
    return dir;
  }

  /** A database of today's schema. */
  async function oldDatabase(): Promise<string> {
    const dataDir = directory.path('data');
    const storage = await directory.open({ dataDir, migrationsDir: migrations() });
    await storage.accounts.create(juliet, sampleCredentials());
    await storage.close();
    return dataDir;
  }

  function inspect(file: string): { version: unknown; columns: string[]; accounts: number | undefined } {
    const db = new Database(file, { readonly: true });
    const columns = db.prepare<[], string>("SELECT name FROM pragma_table_info('accounts')").pluck().all();
    const accounts = db.prepare<[], number>('SELECT count(*) FROM accounts').pluck().get();
    const version = db.pragma('user_version', { simple: true });
    db.close();
    return { version, columns, accounts };
  }

  it('are numbered without gaps', () => {
    const names = readdirSync(defaultMigrationsDir).toSorted();
    const numbers = names.map((name) => /^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1]);
    expect(numbers).to.deep.equal(names.map((_, index) => String(index + 1).padStart(4, '0')));
  });

  it('leave transactions to the server', () => {
    for (const name of readdirSync(defaultMigrationsDir)) {
      expect(readFileSync(join(defaultMigrationsDir, name), 'utf8')).not.to.match(/\b(BEGIN|COMMIT|ROLLBACK)\b/i);
    }
  });

  it('bring what the first release has stored forward', async () => {
    const dataDir = directory.path('first');
    mkdirSync(dataDir, { mode: 0o700 });
    const db = new Database(join(dataDir, 'ampere.db'));
    db.exec(readFileSync(join(defaultMigrationsDir, '0001-foundation.sql'), 'utf8'));
    db.exec(`INSERT INTO accounts (jid, domain, created_at_ms, roster_version, roster_floor, offline_messages, offline_bytes)
             VALUES ('${juliet}', 'capulet.example', 0, 0, 0, 1, 7);
             INSERT INTO offline_messages (account_id, sender, received_at_ms, size, bytes) VALUES (1, 'a@b', 5, 7, x'3c6d73672f3e0a');`);
    db.pragma('user_version = 1');
    db.close();
    const storage = await directory.open({ dataDir });
    expect(await storage.offline.list(juliet, 0, 10)).to.deep.equal([
      { id: 1, from: 'a@b', receivedAtMs: 5, bytes: Buffer.from('<msg/>\n') },
    ]);
    expect(await storage.offline.nextDueMs()).to.equal(undefined);
    const record = await storage.accounts.load(juliet);
    const stored = { unarchived: { messages: 1, bytes: 7 }, archived: { messages: 0, bytes: 0 } };
    expect(record).to.deep.include({ stored, forwardTo: undefined });
    await storage.close();
  });

  it('bring an old database forward, after a backup', async () => {
    const dataDir = await oldDatabase();
    const logged: object[] = [];
    const log = { ...silentLog, info: (fields: object) => void logged.push(fields) };
    const migrationsDir = migrations({
      [later(1, 'nick')]: 'ALTER TABLE accounts ADD COLUMN nick TEXT;',
      [later(2, 'more')]: "UPDATE accounts SET nick = 'J'; CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT;",
    });
    const storage = await directory.open({ dataDir, migrationsDir, log });
    expect(storage.schemaVersion).to.equal(newest + 2);
    expect(await storage.accounts.count()).to.equal(1);
    const backups = readdirSync(join(dataDir, 'backups'));
    expect(backups).to.have.lengthOf(1);
    const backup = join(dataDir, 'backups', backups[0] ?? '');
    expect(backups[0]).to.match(/^before-\d{4}-\d{8}T\d{6}-\d{3}Z\.db$/);
    expect(backups[0]).to.include(`before-${later(1, '').slice(0, 4)}-`);
    expect(statSync(backup).mode & 0o777).to.equal(0o600);
    expect(inspect(backup)).to.deep.include({ version: newest, accounts: 1 });
    expect(inspect(backup).columns).not.to.include('nick');
    expect(logged).to.deep.equal([{ from: newest, to: newest + 2, backup }]);
  });

  it('leave the database as it was if one fails', async () => {
    const dataDir = await oldDatabase();
    const database = join(dataDir, 'ampere.db');
    const before = inspect(database);
    const broken = migrations({
      [later(1, 'broken')]: 'ALTER TABLE accounts ADD COLUMN nick TEXT; INSERT INTO nowhere VALUES (1);',
    });
    const error = await rejection(directory.open({ dataDir, migrationsDir: broken }));
    expect(error.code).to.equal('schema');
    expect(error.message).to.include(later(1, 'broken')).and.to.include('nowhere');
    expect(inspect(database)).to.deep.equal(before);
    expect(readdirSync(join(dataDir, 'backups')), 'what nothing has changed since').to.deep.equal([]);
  });

  it('keep the backup of before the first step if a later one fails', async () => {
    const dataDir = await oldDatabase();
    const broken = migrations({
      [later(1, 'nick')]: 'ALTER TABLE accounts ADD COLUMN nick TEXT;',
      [later(2, 'broken')]: 'INSERT INTO nowhere VALUES (1);',
    });
    expect((await rejection(directory.open({ dataDir, migrationsDir: broken }))).code).to.equal('schema');
    expect((await rejection(directory.open({ dataDir, migrationsDir: broken }))).code).to.equal('schema');
    const backups = readdirSync(join(dataDir, 'backups'));
    expect(backups).to.have.lengthOf(1);
    expect(inspect(join(dataDir, 'backups', backups[0] ?? '')).version).to.equal(newest);
  });

  it('say when there is no room for one', async () => {
    const dataDir = await oldDatabase();
    const database = join(dataDir, 'ampere.db');
    const before = inspect(database);
    const large = migrations({
      [later(1, 'large')]:
        'PRAGMA max_page_count = 1; CREATE TABLE large (x BLOB); INSERT INTO large VALUES (zeroblob(9000000));',
    });
    const error = await rejection(directory.open({ dataDir, migrationsDir: large }));
    expect(error.code).to.equal('full');
    expect(error.message).to.include(database).and.to.include(later(1, 'large')).and.to.include('free some space');
    expect(inspect(database)).to.deep.equal(before);
  });

  it('refuse a database of a newer version, and say what to do', async () => {
    const dataDir = await oldDatabase();
    const newer = migrations({ [later(1, 'nick')]: 'ALTER TABLE accounts ADD COLUMN nick TEXT;' });
    await (await directory.open({ dataDir, migrationsDir: newer })).close();
    const bytes = readFileSync(join(dataDir, 'ampere.db'));
    const error = await rejection(directory.open({ dataDir, migrationsDir: directory.path('migrations-0-0') }));
    expect(error.code).to.equal('schema');
    expect(error.message)
      .to.include(`has schema ${newest + 1}, but this version of Ampere knows only ${newest}`)
      .and.to.include(`before-${later(1, '').slice(0, 4)}-`);
    expect(readFileSync(join(dataDir, 'ampere.db')).equals(bytes)).to.equal(true);
  });

  it('are refused if one is missing', async () => {
    const gap = migrations({ [later(2, 'later')]: 'SELECT 1;' });
    const error = await rejection(directory.open({ dataDir: directory.path('data'), migrationsDir: gap }));
    expect(error.message).to.include(later(2, 'later'));
  });
});
