import type Database from 'better-sqlite3';
import type {
  ArchivedId,
  ArchivedMessage,
  ArchiveRange,
  ArchiveRecord,
  ArchiveStore,
  ArchiveUsage,
} from '../../../archive.ts';
import { StorageError } from '../../../storage-error.ts';
import { asBuffer } from '../../bytes.ts';
import { defineFamily, type OperationsOf, type StoreContext } from '../../family.ts';
import { type ArchiveTables, archiveTables } from './archive-tables.ts';
import { prepareImports } from './imports.ts';
import { packMessages } from './packed-messages.ts';
import { prepareRemovals } from './removals.ts';
import { prepareUsage } from './usage.ts';

/** A message in an archive as it travels between the threads. */
interface PackedArchivedMessage {
  readonly id: number;
  readonly importedId: string | null;
  readonly bytes: Uint8Array;
}

/** Messages that one operation measures. */
const measuredAtOnce = 2000;

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

function archiveStore({ run, gather, nextId }: StoreContext<OperationsOf<typeof prepareArchive>>): ArchiveStore {
  /** Archives without an owner that are being filled. */
  const filling = new Set<number>();
  const unpack = (messages: readonly PackedArchivedMessage[]): ArchivedMessage[] =>
    messages.map(({ id, importedId, bytes }) => ({ ...idOf(id, importedId), bytes: asBuffer(bytes) }));
  return {
    open: (owner) => run('open', owner),
    setPreferences: (archive, preferences) => run('setPreferences', archive, preferences ?? null),
    setRead: (archive) => run('setRead', archive),
    newId: nextId,
    append: gather('append', (messages) => [packMessages(messages), messages.length]),
    page: async (archive, range, limit, which) => unpack(await run('page', archive, range, limit, which)),
    find: async (archive, ids) => unpack(await run('find', archive, ids)),
    count: (archive, range, most) => run('count', archive, range, most),
    bounds: (archive) => run('bounds', archive),
    remove: (archive, id) => run('remove', archive, id),
    purge: async (archive, beforeId) => {
      let removed = 0;
      for (;;) {
        const step = await run('purge', archive, beforeId);
        if (step === 0) return removed;
        removed += step;
      }
    },
    usage: async (archive) => {
      let usage: ArchiveUsage = { messages: 0, bytes: 0, firstId: undefined, lastId: undefined };
      for (;;) {
        const { messages, bytes, firstId, lastId } = await run('measure', archive, usage.lastId ?? 0, measuredAtOnce);
        if (messages === 0) return usage;
        usage = {
          messages: usage.messages + messages,
          bytes: usage.bytes + bytes,
          firstId: usage.firstId ?? firstId,
          lastId,
        };
      }
    },
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

function idOf(id: number, importedId: string | null): ArchivedId {
  return importedId === null ? { id } : { id, importedId };
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

function prepareQueries(db: Database.Database, { index, peers }: ArchiveTables) {
  const read = db.prepare<[number, number], PackedArchivedMessage>(
    `SELECT archive_messages.id, imported_id AS importedId, bytes FROM archive_messages
     LEFT JOIN archive_imported_ids ON archive = ? AND archive_imported_ids.id = archive_messages.id
     WHERE archive_messages.id = ?`,
  );
  const readAll = (archive: number, ids: readonly number[]) =>
    ids.map((id) => read.get(archive, id)).filter((found) => found !== undefined);
  const importedId = db
    .prepare<[number, number], string>('SELECT imported_id FROM archive_imported_ids WHERE archive = ? AND id = ?')
    .pluck();
  /** Undefined if nobody has exchanged a message with the peer. */
  const entriesOf = ({ peer, ...range }: ArchiveRange) => {
    index.refresh();
    if (peer === undefined) return range;
    const number = peers.find(peer);
    return number === undefined ? undefined : { ...range, peer: number };
  };
  const all = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
  return {
    page: (archive: number, range: ArchiveRange, limit: number, which: 'first' | 'last'): PackedArchivedMessage[] => {
      const entries = entriesOf(range);
      return entries === undefined ? [] : readAll(archive, index.ids(archive, entries, limit, which));
    },
    find: (archive: number, ids: readonly number[]): PackedArchivedMessage[] => {
      index.refresh();
      return readAll(
        archive,
        ids.filter((id) => index.has(archive, id)),
      );
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
      const withImported = (id: number) => idOf(id, importedId.get(archive, id) ?? null);
      return [withImported(first), withImported(last)];
    },
  };
}

function prepareChanges(db: Database.Database, { append, remove }: ArchiveTables) {
  const prefer = db.prepare<[string | null, number]>('UPDATE archives SET preferences = ? WHERE id = ?');
  const setRead = db.prepare<[number]>('UPDATE archives SET was_read = 1 WHERE id = ?');
  return {
    append,
    remove,
    setPreferences: (archive: number, preferences: string | null): void => {
      if (prefer.run(preferences, archive).changes === 0) {
        throw new StorageError('not-found', `There is no archive ${archive}`);
      }
    },
    setRead: (archive: number): void => void setRead.run(archive),
  };
}
