import type Database from 'better-sqlite3';
import type {
  ArchivedId,
  ArchivedMessage,
  ArchiveRange,
  ArchiveRecord,
  ArchiveStore,
  NewArchivedMessage,
} from '../../../archive.ts';
import { StorageError } from '../../../storage-error.ts';
import { ownBytes } from '../../bytes.ts';
import { defineFamily, type OperationsOf, type StoreContext } from '../../family.ts';
import { type ArchiveTables, archiveTables } from './archive-tables.ts';
import { prepareImports } from './imports.ts';
import { type FoundMessages, packFound, packMessages, unpackFound } from './packed-messages.ts';
import { prepareRemovals } from './removals.ts';
import { prepareUsage, usageInSteps } from './usage.ts';

/** Messages that one operation searches, and operations of one search. */
const [searchedAtOnce, searchSteps] = [250, 4];

/** The archives of messages. */
export const archive = defineFamily({
  name: 'archive',
  prepare: prepareArchive,
  adds: ['append', 'setPreferences', 'prepareImport', 'importMessages'],
  store: archiveStore,
});

function prepareArchive(db: Database.Database) {
  const tables = archiveTables(db);
  return {
    reads: { ...prepareRecords(db), ...prepareQueries(db, tables), ...prepareUsage(db, tables.index) },
    writes: {
      ...prepareChanges(db, tables),
      ...prepareRemovals(db, tables.index),
      ...prepareImports(db, tables.index, tables.peers),
    },
  };
}

type Context = StoreContext<OperationsOf<typeof prepareArchive>>;

function archiveStore({ run, gather, nextId }: Context): ArchiveStore {
  /** Archives without an owner that are being filled. */
  const filling = new Set<number>();
  return {
    ...methodsInSteps(run),
    open: (owner) => run('open', owner),
    setPreferences: (archive, preferences) => run('setPreferences', archive, preferences ?? null),
    setRead: (archive) => run('setRead', archive),
    newId: nextId,
    append: gather(
      'append',
      ({ bytes }: NewArchivedMessage) => bytes.length,
      (messages) => [packMessages(messages), messages.length],
    ),
    page: async (archive, range, limit, which) => unpackFound(await run('page', archive, range, limit, which)),
    find: async (archive, ids) => unpackFound(await run('find', archive, ids)),
    count: (archive, range, most) => run('count', archive, range, most),
    bounds: (archive) => run('bounds', archive),
    replace: (id, bytes, archives) => run('replace', id, ownBytes(bytes), archives),
    remove: (archive, id) => run('remove', archive, id),
    tidy: (limits) => run('tidy', limits, [...filling]),
    idsOfImported: (archive, importedIds) => run('idsOfImported', archive, importedIds),
    prepareImport: async () => {
      const archive = await run('prepareImport');
      filling.add(archive);
      return archive;
    },
    importMessages: async (archive, messages, after = { atMs: 0, id: 0 }) => {
      const bound = nextId();
      for (;;) {
        const place = await run('importMessages', archive, messages, after, bound);
        if (place !== undefined) return place;
      }
    },
    finishImport: (archive) => void filling.delete(archive),
  };
}

/** The methods that take several operations, between which others get their turn. */
function methodsInSteps(run: Context['run']): Pick<ArchiveStore, 'search' | 'purge' | 'usage'> {
  return {
    search: async (archive, peer, beforeId, text) => {
      const found: ArchivedMessage[] = [];
      let before = beforeId;
      for (let step = 0; step < searchSteps && before > 0; step++) {
        const { messages, firstId } = await run('search', archive, { afterId: 0, beforeId: before, peer }, text);
        found.push(...unpackFound(messages));
        before = firstId;
      }
      return found;
    },
    purge: async (archive, beforeId, atLeast = Number.POSITIVE_INFINITY) => {
      let removed = 0;
      while (removed < atLeast) {
        const step = await run('purge', archive, beforeId);
        if (step === 0) break;
        removed += step;
      }
      return removed;
    },
    usage: (archive) => usageInSteps((afterId, limit) => run('measure', archive, afterId, limit)),
  };
}

function prepareRecords(db: Database.Database) {
  const open = db.prepare<[string], { archive: number; preferences: string | null; wasRead: number }>(
    `SELECT archives.id AS archive, preferences, was_read AS wasRead FROM archives JOIN accounts ON accounts.id = account_id WHERE jid = ?`,
  );
  const imported = db.prepare<[number]>('SELECT 1 FROM archive_imported_ids WHERE archive = ? LIMIT 1');
  const idOfImported = db
    .prepare<[number, string], number>('SELECT id FROM archive_imported_ids WHERE archive = ? AND imported_id = ?')
    .pluck();
  return {
    open: (owner: string): ArchiveRecord | undefined => {
      const found = open.get(owner);
      if (found === undefined) return undefined;
      const hasImportedIds = imported.get(found.archive) !== undefined;
      const { archive, preferences, wasRead } = found;
      return { archive, preferences: preferences ?? undefined, wasRead: wasRead === 1, hasImportedIds };
    },
    idsOfImported: (archive: number, importedIds: readonly string[]): (number | undefined)[] =>
      importedIds.map((text) => idOfImported.get(archive, text)),
  };
}

/** Reads messages one by one: the latest of an archive are in memory only by their ids. */
function prepareReading(db: Database.Database) {
  const bytesOf = db.prepare<[number], Buffer>('SELECT bytes FROM archive_messages WHERE id = ?').pluck();
  const hasImported = db.prepare<[number]>('SELECT 1 FROM archive_imported_ids WHERE archive = ? LIMIT 1');
  const importedId = db
    .prepare<[number, number], string>('SELECT imported_id FROM archive_imported_ids WHERE archive = ? AND id = ?')
    .pluck();
  const idsOf = (archive: number): ((id: number) => ArchivedId) => {
    if (hasImported.get(archive) === undefined) return (id) => ({ id });
    return (id) => {
      const imported = importedId.get(archive, id);
      return imported === undefined ? { id } : { id, importedId: imported };
    };
  };
  const readAll = (archive: number, ids: readonly number[]): ArchivedMessage[] => {
    const idOf = idsOf(archive);
    const found: ArchivedMessage[] = [];
    for (const id of ids) {
      const bytes = bytesOf.get(id);
      if (bytes) found.push({ ...idOf(id), bytes });
    }
    return found;
  };
  return { idsOf, readAll };
}

function prepareQueries(db: Database.Database, { index, peers }: ArchiveTables) {
  const { idsOf, readAll } = prepareReading(db);
  /** Undefined if nobody has exchanged a message with the peer. */
  const entriesOf = ({ peer, ...range }: ArchiveRange) => {
    index.refresh();
    if (peer === undefined) return range;
    const number = peers.find(peer);
    return number === undefined ? undefined : { ...range, peer: number };
  };
  const all = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
  return {
    page: (archive: number, range: ArchiveRange, limit: number, which: 'first' | 'last'): FoundMessages => {
      const entries = entriesOf(range);
      return packFound(entries === undefined ? [] : readAll(archive, index.ids(archive, entries, limit, which)));
    },
    /** `firstId` is where the next step goes on; 0 if no messages are left. */
    search: (archive: number, range: ArchiveRange, text: string) => {
      const entries = entriesOf(range);
      const ids = entries === undefined ? [] : index.ids(archive, entries, searchedAtOnce, 'last');
      const messages = packFound(readAll(archive, ids).filter(({ bytes }) => bytes.includes(text)));
      return { messages, firstId: ids.length < searchedAtOnce ? 0 : (ids[0] ?? 0) };
    },
    find: (archive: number, ids: readonly number[]): FoundMessages => {
      index.refresh();
      const present = ids.filter((id) => index.has(archive, id));
      return packFound(readAll(archive, present));
    },
    count: (archive: number, range: ArchiveRange, most: number): number => {
      const entries = entriesOf(range);
      return entries === undefined ? 0 : index.count(archive, entries, most);
    },
    bounds: (archive: number): readonly [ArchivedId, ArchivedId] | undefined => {
      index.refresh();
      const [first] = index.ids(archive, all, 1, 'first');
      const [last] = index.ids(archive, all, 1, 'last');
      if (first === undefined || last === undefined) return undefined;
      const idOf = idsOf(archive);
      return [idOf(first), idOf(last)];
    },
  };
}

function prepareChanges(db: Database.Database, { append, remove, index }: ArchiveTables) {
  const prefer = db.prepare<[string | null, number]>('UPDATE archives SET preferences = ? WHERE id = ?');
  const setRead = db.prepare<[number]>('UPDATE archives SET was_read = 1 WHERE id = ?');
  const ends = db
    .prepare<[number], [number | null, number | null]>(
      'SELECT sender_archive, recipient_archive FROM archive_messages WHERE id = ?',
    )
    .raw();
  const replace = db.prepare<[Uint8Array, number]>('UPDATE archive_messages SET bytes = ? WHERE id = ?');
  return {
    append,
    remove,
    replace: (id: number, bytes: Uint8Array, archives: readonly number[]): void => {
      index.refresh();
      const others = (ends.get(id) ?? []).filter((archive) => archive !== null && !archives.includes(archive));
      if (!others.some((archive) => archive !== null && index.has(archive, id))) replace.run(bytes, id);
    },
    setPreferences: (archive: number, preferences: string | null): void => {
      if (prefer.run(preferences, archive).changes === 0) {
        throw new StorageError('not-found', `There is no archive ${archive}`);
      }
    },
    setRead: (archive: number): void => void setRead.run(archive),
  };
}
