import Database from 'better-sqlite3';
import { expect } from 'chai';
import { Ballast } from '../../src/storage/sqlite/ballast.ts';
import { configureConnection } from '../../src/storage/sqlite/configure-connection.ts';
import { BatchExecutor } from '../../src/storage/sqlite/execute-batch.ts';
import { families } from '../../src/storage/sqlite/families/index.ts';
import type { Answers, OperationCall } from '../../src/storage/sqlite/messages.ts';
import { migrate } from '../../src/storage/sqlite/migrate.ts';
import { defaultMigrationsDir } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { OperationTable } from '../../src/storage/sqlite/operation-table.ts';
import { TestDirectory } from './test-directory.ts';

const owner = 'juliet@capulet.example';

function append(text: string): OperationCall {
  const message = { from: 'romeo', receivedAtMs: 0, bytes: Buffer.from(text), reports: [] };
  return ['offline.append', [owner, message, { maxMessages: 100, maxBytes: 10_000 }]];
}

const calls: readonly OperationCall[] = [
  append('one'),
  ['offline.list', [owner, 0, 100]],
  append('two'),
  ['offline.remove', [owner, [1]]],
  append('three'),
];

/** The statements of a batch, and how often each is executed in this one. */
const statements: readonly (readonly [name: string, sql: RegExp, times: number])[] = [
  ['the begin', /^BEGIN/, 1],
  ['a savepoint', /^SAVEPOINT/, 4],
  ['an insert', /^INSERT INTO offline_messages/, 3],
  ['an update', /^UPDATE accounts SET offline_messages/, 4],
  ['a delete', /^DELETE FROM offline_messages/, 1],
  ['a read', /^SELECT id, sender/, 1],
  ['a release', /^RELEASE/, 4],
  ['the commit', /^COMMIT/, 1],
];
const ending = ['SQLITE_IOERR_WRITE', 'SQLITE_IOERR_READ', 'SQLITE_CORRUPT', 'SQLITE_NOMEM'];
const passing = ['SQLITE_FULL', 'SQLITE_BUSY'];

/** What better-sqlite3 calls to execute a statement. */
const methods = ['run', 'get', 'all'] as const;
type Execute = (this: Database.Statement, ...parameters: unknown[]) => unknown;

describe('a batch of operations of which a statement fails', () => {
  const directory = new TestDirectory();
  let db: Database.Database;
  let restore = () => {};

  beforeEach(() => {
    db = new Database(directory.path('ampere.db'));
    configureConnection(db);
    migrate(db, defaultMigrationsDir, directory.dataDir);
    db.prepare(
      'INSERT INTO accounts (jid, domain, created_at_ms, roster_version, roster_floor) VALUES (?, ?, 0, 0, 0)',
    ).run(owner, 'capulet.example');
  });
  afterEach(() => {
    restore();
    db.close();
  });

  /** Has a statement fail when it is executed for the `nth` time from now on. */
  function fail(sql: RegExp, nth: number, code: string): void {
    const prototype = Object.getPrototypeOf(db.prepare('SELECT 1')) as Record<string, Execute>;
    const originals = methods.map((name) => [name, prototype[name]] as const);
    let executed = 0;
    for (const [name, original] of originals) {
      prototype[name] = function (...parameters) {
        if (sql.test(this.source)) executed += 1;
        if (sql.test(this.source) && executed === nth) throw new Database.SqliteError('as the test wants it', code);
        return original?.apply(this, parameters);
      };
    }
    restore = () => Object.assign(prototype, Object.fromEntries(originals));
  }

  /** The texts that are stored, as another connection sees them. */
  function stored(): string[] {
    const other = new Database(directory.path('ampere.db'), { readonly: true });
    const bytes = other.prepare<[], Buffer>('SELECT bytes FROM offline_messages ORDER BY id').pluck().all();
    const count = other.prepare<[], number>('SELECT offline_messages FROM accounts').pluck().get();
    other.close();
    expect(count).to.equal(bytes.length);
    return bytes.map(String);
  }

  /** What the answers promise: what was appended and not removed again. */
  function promised({ failures }: Answers): string[] {
    const appended = ['one', '', 'two', '', 'three'].filter((text, index) => text !== '' && !failures.has(index));
    return failures.has(3) ? appended : appended.filter((text) => text !== 'one');
  }

  for (const [name, sql, times] of statements) {
    for (const code of [...ending, ...passing]) {
      it(`promises nothing that is not there: ${name} says ${code}`, () => {
        const ballast = new Ballast(directory.path('ballast'), 0);
        const operations = new OperationTable(db, families);
        const executor = new BatchExecutor({ db, operations, ballast, dataDir: directory.dataDir });
        for (let nth = 1; nth <= times; nth++) {
          db.exec('DELETE FROM offline_messages; UPDATE accounts SET offline_messages = 0, offline_bytes = 0');
          db.exec("DELETE FROM sqlite_sequence WHERE name = 'offline_messages'");
          fail(sql, nth, code);
          const answers = executor.execute(calls);
          restore();
          expect(answers.fatal !== undefined, `${nth}`).to.equal(ending.includes(code));
          // What is left of a transaction ends with the connection.
          if (answers.fatal) {
            if (db.inTransaction) db.exec('ROLLBACK');
            expect(answers.failures.size, `${nth}`).to.equal(calls.length);
          } else {
            expect(stored(), `${nth}`).to.deep.equal(promised(answers));
            expect(answers.failures.has(1), 'what was read is answered').to.equal(false);
          }
        }
      });
    }
  }
});

describe('a batch of operations that only read', () => {
  it('is one transaction, which ends also if one of them fails', () => {
    const db = new Database(':memory:');
    const inTransaction: boolean[] = [];
    const read = () => inTransaction.push(db.inTransaction);
    const refuse = () => {
      throw new Error('this one fails alone');
    };
    const family = {
      name: 'some',
      adds: [],
      prepare: () => ({ reads: { read, refuse }, writes: {} }),
      open: () => ({}),
    };
    const operations = new OperationTable(db, [family]);
    const executor = new BatchExecutor({ db, operations, ballast: new Ballast('', 0), dataDir: '' });
    const answers = executor.execute(['read', 'refuse', 'read'].map((name) => [`some.${name}`, []]));
    expect(inTransaction).to.deep.equal([true, true]);
    expect([...answers.failures.keys()]).to.deep.equal([1]);
    expect(answers.committed).to.equal(false);
    expect(db.inTransaction).to.equal(false);
    db.close();
  });
});
