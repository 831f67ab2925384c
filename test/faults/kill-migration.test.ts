import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { defaultMigrationsDir, openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { ampleQuota, sampleCredentials, sampleMessage } from '../storage/samples.ts';
import { LineProcess, patienceMs } from '../support/line-process.ts';
import { SeededRandom } from './seeded-random.ts';

const program = fileURLToPath(new URL('../storage/storage-program.ts', import.meta.url));
const rounds = 8;
const messages = 2000;
const owner = 'juliet@localhost';
const newest = readdirSync(defaultMigrationsDir).length;
/** Two slow migrations: each rewrites every message. */
const slow = ['one', 'two'].map(
  (column) => `ALTER TABLE offline_messages ADD COLUMN ${column} BLOB; UPDATE offline_messages SET ${column} = bytes;`,
);

describe('a server that is killed while it migrates its database', function () {
  this.timeout(300_000);
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ampere-migration-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const inside = (...names: string[]) => join(directory, ...names);

  it('leaves each step done or not begun, opens again, and loses nothing', async () => {
    const random = new SeededRandom();
    await prepare();
    const tookMs = await wholeMigration();
    const found = { before: 0, between: 0, after: 0 };
    for (let round = 0; round < rounds; round++) {
      const dataDir = inside(`killed-${round}`);
      cpSync(inside('old'), dataDir, { recursive: true });
      // The first kill comes at once, and early kills are more frequent: a machine under load is late with all of them.
      const share = round === 0 ? 0 : random.between(0, 100) / 100;
      await killedAfter(dataDir, tookMs * share ** 2);
      const version = inspect(join(dataDir, 'ampere.db'));
      found[version === newest ? 'before' : version === newest + 1 ? 'between' : 'after'] += 1;
      for (const backup of backupsIn(dataDir)) expect(inspect(backup)).to.be.oneOf([newest, newest + 1]);
      await opensComplete(dataDir);
      rmSync(dataDir, { recursive: true });
    }
    const { before, between, after } = found;
    expect(before).to.be.at.least(1);
    const where = `${before} before the first step was done, ${between} before the second, ${after} after it`;
    console.log(`      ${rounds} kills, seed ${random.seed}: ${where}; 0 of ${rounds * messages} messages lost`);
  });

  /** Makes a database with the newest schema, and a directory with further migrations. */
  async function prepare(): Promise<void> {
    const storage = await openSqliteStorage({ dataDir: inside('old'), onFatal: (error) => expect.fail(error.message) });
    await storage.accounts.create(owner, sampleCredentials());
    const message = sampleMessage('x'.repeat(4000));
    await Promise.all(Array.from({ length: messages }, () => storage.offline.append(owner, message, ampleQuota)));
    await storage.close();
    mkdirSync(inside('migrations'));
    for (const name of readdirSync(defaultMigrationsDir)) {
      copyFileSync(join(defaultMigrationsDir, name), inside('migrations', name));
    }
    for (const [index, sql] of slow.entries()) {
      writeFileSync(inside('migrations', `${String(newest + 1 + index).padStart(4, '0')}-slow.sql`), sql);
    }
  }

  const starts = (dataDir: string) =>
    new LineProcess('storage', process.execPath, [program, 'open', dataDir, inside('migrations')]);

  /** The duration of the migration in milliseconds, from the moment the directory is locked. */
  async function wholeMigration(): Promise<number> {
    const dataDir = inside('whole');
    cpSync(inside('old'), dataDir, { recursive: true });
    const running = starts(dataDir);
    await locked(dataDir);
    const began = performance.now();
    await running.waitFor('the end', () => running.lines.includes('opened') || undefined);
    await running.end();
    return performance.now() - began;
  }

  async function killedAfter(dataDir: string, delayMs: number): Promise<void> {
    const running = starts(dataDir);
    await locked(dataDir);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    running.kill('SIGKILL');
    await running.end();
  }

  /** Resolves when another process has begun to open the directory. */
  async function locked(dataDir: string): Promise<void> {
    const giveUpAtMs = performance.now() + patienceMs;
    while (!existsSync(join(dataDir, 'ampere.pid'))) {
      if (performance.now() > giveUpAtMs) expect.fail('no process opens the directory');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  const backupsIn = (dataDir: string) => {
    const backups = join(dataDir, 'backups');
    const names = existsSync(backups) ? readdirSync(backups) : [];
    return names.filter((name) => name.endsWith('.db')).map((name) => join(backups, name));
  };

  /** The schema version of a database, which must be intact and have the columns of that version. */
  function inspect(file: string): number {
    const db = new Database(file);
    const version = Number(db.pragma('user_version', { simple: true }));
    const columns = db.prepare<[], string>("SELECT name FROM pragma_table_info('offline_messages')").pluck().all();
    const finding = db.pragma('integrity_check', { simple: true });
    db.close();
    expect(finding).to.equal('ok');
    expect(columns.includes('one')).to.equal(version > newest);
    expect(columns.includes('two')).to.equal(version > newest + 1);
    return version;
  }

  async function opensComplete(dataDir: string): Promise<void> {
    const migrationsDir = inside('migrations');
    const onFatal = (error: Error) => expect.fail(error.message);
    const storage = await openSqliteStorage({ dataDir, migrationsDir, onFatal });
    expect(storage.schemaVersion).to.equal(newest + slow.length);
    expect((await storage.offline.count(owner)).messages).to.equal(messages);
    expect(await storage.offline.list(owner, 0, messages)).to.have.length(messages);
    await storage.close();
  }
});
