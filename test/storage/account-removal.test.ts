import Database from 'better-sqlite3';
import { expect } from 'chai';
import { dataPaths } from '../../src/storage/sqlite/data-directory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { tidyUp } from './contract-archive.ts';
import { sampleCredentials } from './samples.ts';
import { TestDirectory } from './test-directory.ts';

const [leaver, stayer] = ['leaver@here.example', 'stayer@here.example'];

/** The tables without a foreign key to an account, and why the removal of an account leaves them alone. */
const unowned: Readonly<Record<string, string>> = {
  secrets: 'secrets of the server',
  outbox: 'reports on their way to any address',
  blocked_domains: 'domains of other servers',
  notices: 'by domains of this server',
  removed_accounts: 'hashes of addresses that nobody may register',
  listed_entries: 'block lists of other servers',
  administrations: 'what operators have done stays known',
  outgoing: 'stanzas on their way to other servers',
  wanted_nodes: 'capabilities of software',
  archive_messages: 'messages of one archive or two; a test of its own',
  archive_entries: 'by the number of an archive; a test of its own',
  archive_imported_ids: 'by the number of an archive; a test of its own',
  archive_peers: 'addresses that users have exchanged messages with',
  archive_progress: 'one row',
  rooms: 'a room outlives the accounts of its owners',
  room_totals: 'numbers of rooms',
  room_affiliations: 'belongs to its room',
  room_tombstones: 'belongs to its room',
  room_archives: 'belongs to its room',
  room_messages: 'belongs to its room',
  room_occupants: 'belongs to its room',
  room_departures: 'belongs to its room',
  room_vcards: 'belongs to its room',
  orderly_stops: 'belongs to the server',
  room_imports: 'rooms whose import has not ended',
};

interface Column {
  readonly name: string;
  readonly type: 'INTEGER' | 'TEXT' | 'BLOB' | 'REAL' | 'ANY';
  /** The place in the primary key; 0 for none. */
  readonly pk: number;
}

interface ForeignKey {
  readonly from: string;
  readonly to: string | null;
  readonly table: string;
}

interface Table {
  readonly name: string;
  readonly sql: string;
  readonly columns: readonly Column[];
  readonly foreignKeys: readonly ForeignKey[];
}

type Row = Readonly<Record<string, unknown>>;

/** The tables of a database, as its schema describes them. */
class Schema {
  readonly #db: Database.Database;
  readonly tables: readonly Table[];
  #next = 1000;

  constructor(db: Database.Database) {
    this.#db = db;
    const all = db.prepare<[], { name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    this.tables = all.all().map(({ name, sql }) => ({
      name,
      sql,
      columns: db.pragma(`table_info(${name})`) as Column[],
      foreignKeys: db.pragma(`foreign_key_list(${name})`) as ForeignKey[],
    }));
  }

  /** The tables whose rows belong to an account by a chain of foreign keys, each after those it refers to. */
  owned(): Table[] {
    const found = new Map<string, Table>();
    const refersToFound = ({ foreignKeys }: Table) =>
      foreignKeys.some(({ table }) => table === 'accounts' || found.has(table));
    for (let size = -1; size !== found.size; ) {
      size = found.size;
      for (const table of this.tables) if (!found.has(table.name) && refersToFound(table)) found.set(table.name, table);
    }
    return [...found.values()];
  }

  /** A row of the table that belongs to an account; makes one if there is none. `rows` are the rows of the tables before it. */
  rowOf({ name, sql, columns, foreignKeys }: Table, rows: ReadonlyMap<string, Row>): Row {
    const keys = new Map(foreignKeys.map(({ from, to, table }) => [from, rows.get(table)?.[to ?? 'id']]));
    const owner = foreignKeys.find(({ table }) => rows.has(table))!.from;
    const existing = this.#db.prepare<[unknown], Row>(`SELECT * FROM ${name} WHERE ${owner} = ?`).get(keys.get(owner));
    if (existing) return existing;
    const values = columns.map((column) => (keys.has(column.name) ? keys.get(column.name) : this.#value(column, sql)));
    const names = columns.map((column) => column.name).join(', ');
    const places = columns.map(() => '?').join(', ');
    this.#db.prepare(`INSERT INTO ${name} (${names}) VALUES (${places})`).run(...values);
    return Object.fromEntries(columns.map((column, index) => [column.name, values[index]]));
  }

  /** Whether a row is still there, by its primary key. */
  has({ name, columns }: Table, row: Row): boolean {
    const key = columns.filter(({ pk }) => pk > 0).map((column) => column.name);
    const condition = key.map((column) => `${column} IS ?`).join(' AND ');
    return (
      this.#db.prepare(`SELECT 1 FROM ${name} WHERE ${condition}`).get(...key.map((one) => row[one])) !== undefined
    );
  }

  /** A value that the checks of the column allow, and that no other row has where that is possible. */
  #value({ name, type }: Column, sql: string): unknown {
    const [, choice] = new RegExp(`\\b${name} IN \\(([^,)]*)`).exec(sql) ?? [];
    if (choice !== undefined) return choice.startsWith("'") ? choice.slice(1, -1) : Number(choice);
    if (sql.includes(`json_valid(${name})`)) return '[]';
    this.#next += 1;
    if (type === 'INTEGER' || type === 'REAL') return this.#next;
    return type === 'BLOB' ? Buffer.from(`value ${this.#next}`) : `value ${this.#next}`;
  }
}

describe('The removal of an account', () => {
  const directory = new TestDirectory();

  /** Looks at the database while no store has it open. */
  function look<T>(read: (db: Database.Database) => T): T {
    const db = new Database(dataPaths(directory.dataDir).database);
    try {
      db.pragma('foreign_keys = 1');
      return read(db);
    } finally {
      db.close();
    }
  }

  /** Opens the store, and closes it after the work. */
  async function withStorage<T>(work: (storage: Storage) => Promise<T>): Promise<T> {
    const storage = await directory.open();
    try {
      return await work(storage);
    } finally {
      await storage.close();
    }
  }

  const createBoth = () =>
    withStorage(async ({ accounts }) => {
      for (const jid of [leaver, stayer]) await accounts.create(jid, sampleCredentials());
    });

  it('knows of every table to whom its rows belong', async () => {
    await createBoth();
    look((db) => {
      const schema = new Schema(db);
      const owned = schema.owned().map(({ name }) => name);
      const others = schema.tables
        .map(({ name }) => name)
        .filter((name) => name !== 'accounts' && !owned.includes(name));
      // A new table either refers to accounts, or to a table that does, or is named in `unowned` with the reason.
      expect(others).to.have.members(Object.keys(unowned));
    });
  });

  it('empties every table that belongs to accounts, and leaves the rows of others', async () => {
    await createBoth();
    const rows = look((db) => {
      const schema = new Schema(db);
      return [leaver, stayer].map((jid) => {
        const found = new Map<string, Row>();
        found.set('accounts', db.prepare<[string], Row>('SELECT * FROM accounts WHERE jid = ?').get(jid)!);
        for (const table of schema.owned()) found.set(table.name, schema.rowOf(table, found));
        return found;
      });
    });
    await withStorage(async ({ accounts, archive, uploads }) => {
      expect(await accounts.remove(leaver)).to.equal(true);
      await tidyUp(archive, {});
      await uploads.forget(Number.MAX_SAFE_INTEGER);
    });
    look((db) => {
      const schema = new Schema(db);
      const left = rows.map((found) =>
        schema.tables.filter((table) => found.has(table.name) && schema.has(table, found.get(table.name)!)),
      );
      const names = left.map((tables) => tables.map(({ name }) => name));
      expect(names[0]).to.deep.equal([]);
      expect(names[1]).to.have.members([...schema.owned().map(({ name }) => name), 'accounts']);
    });
  });

  it('removes an archive little by little, with the messages that no other archive has', async () => {
    await createBoth();
    const numbers = await withStorage(async ({ accounts, archive }) => {
      const [own, other] = [(await archive.open(leaver))!.archive, (await archive.open(stayer))!.archive];
      const end = (number: number, peer: string) => ({ archive: number, peer });
      const add = (text: string, ends: object) =>
        archive.append({ id: archive.newId(), bytes: Buffer.from(text), ...ends });
      const imported = { atMs: 1000, bytes: Buffer.from('imported'), peer: 'romeo@there.example', importedId: 'i' };
      await archive.importMessages(own, [imported]);
      await add('mine', { sender: end(own, 'romeo@there.example') });
      await add('ours', { sender: end(own, stayer), recipient: end(other, leaver) });
      await add('theirs', { recipient: end(other, 'romeo@there.example') });
      // Half of them are in the index when the account goes, half in memory.
      await tidyUp(archive, { indexBeforeId: archive.newId() });
      await add('mine, too', { sender: end(own, 'romeo@there.example') });
      await add('ours, too', { sender: end(other, leaver), recipient: end(own, stayer) });
      await accounts.remove(leaver);
      // Before the removal is complete, a new account of the name sees nothing of it.
      await accounts.create(leaver, sampleCredentials());
      const reborn = (await archive.open(leaver))!.archive;
      expect(await archive.bounds(reborn)).to.equal(undefined);
      await tidyUp(archive, {});
      return { own, other, reborn };
    });
    expect(numbers.reborn).to.be.above(numbers.other);
    look((db) => {
      const texts = db.prepare<[], { bytes: Buffer }>('SELECT bytes FROM archive_messages ORDER BY id').all();
      expect(texts.map(({ bytes }) => bytes.toString())).to.deep.equal(['ours', 'theirs', 'ours, too']);
      // Whatever has the number of an archive.
      for (const { name, columns } of new Schema(db).tables) {
        if (!columns.some((column) => column.name === 'archive')) continue;
        expect(db.prepare(`SELECT * FROM ${name} WHERE archive = ?`).all(numbers.own), name).to.deep.equal([]);
      }
      expect(db.prepare('SELECT * FROM archives WHERE id = ?').get(numbers.own)).to.equal(undefined);
    });
  });
});
