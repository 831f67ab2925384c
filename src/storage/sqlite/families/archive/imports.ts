import type Database from 'better-sqlite3';
import type { ImportedArchivedMessage, ImportPlace } from '../../../archive.ts';
import { firstIdAt, timeOfId } from '../../../ordered-ids.ts';
import { StorageError } from '../../../storage-error.ts';
import type { ArchiveIndex } from './archive-index.ts';
import type { Peers } from './peers.ts';

/** Entries that one operation moves out of the way: it must not hold up others for long. */
const movedAtOnce = 1000;
/** How far before the present messages end up whose time is in the future. */
const futureMs = 1000;

/** Prepares the writing of archives that come from other servers. */
export function prepareImports(db: Database.Database, index: ArchiveIndex, peers: Peers) {
  const add = db.prepare<[], number>('INSERT INTO archives (account_id) VALUES (NULL) RETURNING id').pluck();
  const exists = db.prepare<[number]>('SELECT 1 FROM archives WHERE id = ?');
  const insert = db.prepare<[number, number, number, Uint8Array]>(
    'INSERT OR IGNORE INTO archive_messages (id, recipient_archive, recipient_peer, bytes) VALUES (?, ?, ?, ?)',
  );
  const keepId = db.prepare<[number, number, string]>(
    'INSERT OR IGNORE INTO archive_imported_ids (archive, id, imported_id) VALUES (?, ?, ?)',
  );
  /** Inserts a message at the first free id from `first` on. */
  const insertFrom = (first: number, bound: number, archive: number, peer: number, bytes: Uint8Array): number => {
    for (let id = first; id < bound; id++) if (insert.run(id, archive, peer, bytes).changes > 0) return id;
    throw new StorageError('quota', 'there is no place left at the time of an imported message');
  };
  return {
    prepareImport: (): number => add.get()!,
    /** Undefined if entries had to move first: the operation is to be repeated. Ids are smaller than `bound`. */
    importMessages: (
      archive: number,
      messages: readonly (Omit<ImportedArchivedMessage, 'bytes'> & { readonly bytes: Uint8Array })[],
      after: ImportPlace,
      bound: number,
    ): ImportPlace | undefined => {
      index.refresh();
      if (exists.get(archive) === undefined) throw new StorageError('not-found', `There is no archive ${archive}`);
      // Also if one of the messages fails: what is in memory by then is read anew.
      index.changed();
      const movesMore = index.advanceTo(bound - 1, movedAtOnce);
      let place = after;
      for (const { atMs, bytes, peer, importedId } of movesMore ? [] : messages) {
        const placeMs = Math.floor(Math.min(Math.max(atMs, 0), timeOfId(bound) - futureMs));
        const first = placeMs === place.atMs ? place.id + 1 : Math.max(firstIdAt(placeMs), 1);
        const number = peers.need(peer);
        const id = insertFrom(first, bound, archive, number, bytes);
        index.insert(archive, id, number, bound);
        if (importedId !== undefined) keepId.run(archive, id, importedId);
        place = { atMs: placeMs, id };
      }
      index.changed();
      return movesMore ? undefined : place;
    },
  };
}
