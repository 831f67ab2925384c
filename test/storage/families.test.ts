import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { OrderedIds } from '../../src/storage/ordered-ids.ts';
import { families } from '../../src/storage/sqlite/families/index.ts';
import { defineFamily, openStores } from '../../src/storage/sqlite/family.ts';
import { migrate } from '../../src/storage/sqlite/migrate.ts';
import { defaultMigrationsDir } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { OperationQueue } from '../../src/storage/sqlite/operation-queue.ts';
import { OperationTable } from '../../src/storage/sqlite/operation-table.ts';
import { DiskThread } from '../conversations/durability/instant-disk.ts';
import { rejection } from './rejection.ts';
import { sampleCredentials } from './samples.ts';

/** What a new table needs besides its migration: an interface, and a family that keeps to it. */
interface NoteStore {
  add(owner: string, text: string): Promise<number>;
  move(owner: string, text: string): Promise<number>;
  /** One of many that go to the storage thread together. */
  append(owner: string, text: string): Promise<void>;
  list(owner: string): Promise<string[]>;
  clear(owner: string): Promise<void>;
}

const notes = defineFamily({
  name: 'notes',
  prepare: (db) => {
    const add = db.prepare<[string, string]>('INSERT INTO notes (owner, text) VALUES (?, ?)');
    const insert = db.prepare<[number, string, string]>('INSERT INTO notes (id, owner, text) VALUES (?, ?, ?)');
    const list = db.prepare<[string], string>('SELECT text FROM notes WHERE owner = ? ORDER BY id').pluck();
    const clear = db.prepare<[string]>('DELETE FROM notes WHERE owner = ?');
    return {
      reads: { list: (owner: string): string[] => list.all(owner) },
      writes: {
        add: (owner: string, text: string): number => Number(add.run(owner, text).lastInsertRowid),
        addAll: (ids: readonly number[], owners: readonly string[], texts: readonly string[]): void => {
          for (const [at, text] of texts.entries()) insert.run(ids[at] ?? 0, owners[at] ?? '', text);
        },
        clear: (owner: string): void => void clear.run(owner),
      },
    };
  },
  adds: ['add', 'addAll'],
  store: ({ run, move, gather, nextId }): NoteStore => {
    const addAll = gather(
      'addAll',
      ({ text }: { readonly id: number; readonly owner: string; readonly text: string }) => text.length,
      (rows) => [rows.map(({ id }) => id), rows.map(({ owner }) => owner), rows.map(({ text }) => text)],
    );
    return {
      add: (owner, text) => run('add', owner, text),
      move: (owner, text) => move('add', owner, text),
      append: (owner, text) => addAll({ id: nextId(), owner, text }),
      list: (owner) => run('list', owner),
      clear: (owner) => run('clear', owner),
    };
  },
});

const allFamilies = [...families, notes] as const;
const juliet = 'juliet@capulet.example';
const ids = new OrderedIds({ nowMs: () => 0 });
const services = { nowMs: () => 0, nextId: () => ids.next() };

describe('a family of tables', () => {
  let isRefusing = false;
  let db: Database.Database;
  let queue: OperationQueue;

  beforeEach(() => {
    isRefusing = false;
    db = new Database(':memory:');
    migrate(db, defaultMigrationsDir, '.');
    db.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, text TEXT NOT NULL) STRICT');
    // The queue uses nothing else of a worker.
    queue = new OperationQueue(new DiskThread(db, allFamilies) as unknown as Worker, {
      maxBatchBytes: Number.POSITIVE_INFINITY,
      onBatch: () => undefined,
      isRefusing: () => isRefusing,
      onFull: () => undefined,
      onFatal: (error) => {
        throw error;
      },
    });
  });
  afterEach(async () => {
    await queue.close(Promise.resolve());
    db.close();
  });

  it('gets its store by an entry in the list, beside all others', async () => {
    const stores = openStores(allFamilies, queue, services);
    await stores.accounts.create(juliet, sampleCredentials());
    const [first, , listed] = await Promise.all([
      stores.notes.add(juliet, 'one'),
      stores.notes.add(juliet, 'two'),
      stores.notes.list(juliet),
    ]);
    expect(first).to.equal(1);
    expect(listed).to.deep.equal(['one', 'two']);
    expect(await stores.accounts.count()).to.equal(1);
    expect(queue.commits).to.equal(2);
  });

  it('may add nothing while the disk is nearly full, but may move and remove', async () => {
    const stores = openStores(allFamilies, queue, services);
    isRefusing = true;
    expect((await rejection(stores.notes.add(juliet, 'new'))).code).to.equal('full');
    await stores.notes.move(juliet, 'moved');
    expect(await stores.notes.list(juliet)).to.deep.equal(['moved']);
    await stores.notes.clear(juliet);
    expect(await stores.notes.list(juliet)).to.deep.equal([]);
  });

  it('sends the rows of a turn as one call, in order with all others', async () => {
    const stores = openStores(allFamilies, queue, services);
    const [one, two, between, three] = [
      stores.notes.append(juliet, 'one'),
      stores.notes.append(juliet, 'zwei – 二'),
      stores.notes.list(juliet),
      stores.notes.append(juliet, ''),
    ];
    expect(two).to.equal(one);
    await Promise.all([one, three]);
    expect(await between).to.deep.equal(['one', 'zwei – 二']);
    expect(await stores.notes.list(juliet)).to.deep.equal(['one', 'zwei – 二', '']);
    expect(queue.commits).to.equal(1);
    isRefusing = true;
    expect((await rejection(stores.notes.append(juliet, 'new'))).code).to.equal('full');
  });

  it('bounds a batch by its rows', async () => {
    const stores = openStores(allFamilies, queue, services);
    await Promise.all(Array.from({ length: 2500 }, (_, index) => stores.notes.append(juliet, `${index}`)));
    expect(queue.commits).to.equal(3);
    const expected = Array.from({ length: 2500 }, (_, index) => `${index}`);
    expect(await stores.notes.list(juliet)).to.deep.equal(expected);
  });

  it('tells the storage thread which operations write, and which need space', () => {
    const operations = new OperationTable(db, allFamilies);
    const kinds = ['notes.list', 'notes.add', 'notes.clear'].map((name) => {
      return [operations.isWrite([name, []]), operations.addsData([name, []])];
    });
    expect(kinds).to.deep.equal([
      [false, false],
      [true, true],
      [true, false],
    ]);
    expect(() => operations.execute(['notes.burn', []])).to.throw('There is no storage operation notes.burn');
  });

  it('has a name of its own', () => {
    expect(() => new OperationTable(db, [...allFamilies, notes])).to.throw('the same name');
  });

  it('is checked by the compiler: operations, arguments, results', () => {
    const prepare = () => ({ reads: { get: (id: number): string => String(id) }, writes: {} });
    // @ts-expect-error: there is no such write
    defineFamily({ name: 'wrong', prepare, adds: ['get'], store: () => ({}) });
    // @ts-expect-error: there is no such operation
    defineFamily({ name: 'wrong', prepare, adds: [], store: ({ run }) => ({ get: () => run('got', 1) }) });
    // @ts-expect-error: the operation takes a number
    defineFamily({ name: 'wrong', prepare, adds: [], store: ({ run }) => ({ get: () => run('get', 'one') }) });
    const store = defineFamily({
      name: 'right',
      prepare,
      adds: [],
      store: ({ run }) => ({ get: () => run('get', 1) }),
    });
    // @ts-expect-error: its result is text
    const get: () => Promise<number> = store.open(queue, services).get;
    expect(get).to.be.a('function');
  });
});
