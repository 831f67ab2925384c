import type Database from 'better-sqlite3';
import type { ArchiveLimits } from '../../../archive.ts';
import { inTime, prepareOverfull, removedAtOnce } from '../tidying.ts';
import type { ArchiveIndex } from './archive-index.ts';

/** Entries that one operation moves at most. */
const movedAtOnce = 1000;

interface Ends {
  readonly id: number;
  readonly senderArchive: number | null;
  readonly recipientArchive: number | null;
}

const endColumns = 'id, sender_archive AS senderArchive, recipient_archive AS recipientArchive';

/** Prepares the removal of what limits demand. */
export function prepareRemovals(db: Database.Database, index: ArchiveIndex) {
  const removeEntry = prepareRemoveEntry(db, index);
  const removeOldest = (archive: number, count: number, beforeId = Number.POSITIVE_INFINITY): number =>
    inTime(count, (some) => {
      const ids = index.ids(archive, { afterId: 0, beforeId }, some, 'first');
      for (const id of ids) removeEntry(archive, id);
      return ids.length;
    });
  return {
    ...prepareTidying(db, index, { removeEntry, removeOldest }),
    remove: (archive: number, id: number): void => {
      index.refresh();
      removeEntry(archive, id);
      index.changed();
    },
    /** The number of messages that were removed; 0 if none is left. */
    purge: (archive: number, beforeId: number): number => {
      index.refresh();
      const removed = removeOldest(archive, removedAtOnce, beforeId);
      index.changed();
      return removed;
    },
  };
}

/** How messages leave an archive. */
interface Removing {
  removeEntry(archive: number, id: number): void;
  /** Returns how many of at most `count` messages there were. */
  removeOldest(archive: number, count: number): number;
}

function prepareTidying(db: Database.Database, index: ArchiveIndex, { removeEntry, removeOldest }: Removing) {
  const old = db.prepare<[number, number], Ends>(
    `SELECT ${endColumns} FROM archive_messages WHERE id < ? ORDER BY id LIMIT ?`,
  );
  const removeMessage = db.prepare<[number]>('DELETE FROM archive_messages WHERE id = ?');
  const forget = db.prepare<[number]>('DELETE FROM archives WHERE id = ?');
  const abandoned = db.prepare<[number], number>('SELECT id FROM archives WHERE account_id IS NULL LIMIT ?').pluck();
  const nextOverfull = prepareOverfull(db, { table: 'archives', owner: 'id', count: 'entries' });
  const removeSomeOld = ({ removeBeforeId }: ArchiveLimits, count: number): number => {
    const messages = old.all(removeBeforeId, count);
    for (const { id, senderArchive, recipientArchive } of messages) {
      if (senderArchive !== null) removeEntry(senderArchive, id);
      if (recipientArchive !== null) removeEntry(recipientArchive, id);
      removeMessage.run(id);
    }
    return messages.length;
  };
  /** Each of these is true if it found something to do. */
  const removeOld = (limits: ArchiveLimits): boolean =>
    inTime(removedAtOnce, (count) => removeSomeOld(limits, count)) > 0;
  const removeAbandoned = (spared: readonly number[]): boolean => {
    const archive = abandoned.all(spared.length + 1).find((one) => !spared.includes(one));
    if (archive === undefined) return false;
    if (removeOldest(archive, removedAtOnce) === 0) forget.run(archive);
    return true;
  };
  const removeExcess = ({ maxMessages }: ArchiveLimits): boolean => {
    const found = nextOverfull(maxMessages);
    if (typeof found === 'boolean') return found;
    return removeOldest(found.owner, Math.min(found.excess, removedAtOnce)) > 0;
  };
  const moveUpTo = (id: number): boolean => {
    let isMore = true;
    inTime(movedAtOnce, (count) => {
      isMore = index.advanceTo(id, count);
      return isMore ? count : 0;
    });
    return isMore;
  };
  return {
    /** `spared` are archives without an owner that are being filled. */
    tidy: (limits: ArchiveLimits, spared: readonly number[]): boolean => {
      index.refresh();
      const moreToMove = moveUpTo(limits.indexBeforeId - 1);
      const found = removeAbandoned(spared) || removeOld(limits) || removeExcess(limits);
      index.changed();
      return moreToMove || found;
    },
  };
}

/** Prepares the removal of a message from one archive. A message goes when no archive has it any more. */
export function prepareRemoveEntry(db: Database.Database, index: ArchiveIndex) {
  const ends = db.prepare<[number], Ends>(`SELECT ${endColumns} FROM archive_messages WHERE id = ?`);
  const remove = db.prepare<[number]>('DELETE FROM archive_messages WHERE id = ?');
  const forgetImportedId = db.prepare<[number, number]>(
    'DELETE FROM archive_imported_ids WHERE archive = ? AND id = ?',
  );
  const detach = db.prepare<{ id: number; archive: number }>(
    `UPDATE archive_messages SET sender_archive = nullif(sender_archive, @archive),
       recipient_archive = nullif(recipient_archive, @archive) WHERE id = @id`,
  );
  return (archive: number, id: number): void => {
    if (!index.has(archive, id)) return;
    const found = ends.get(id);
    index.remove(archive, id);
    forgetImportedId.run(archive, id);
    if (!found) return;
    const other = found.senderArchive === archive ? found.recipientArchive : found.senderArchive;
    if (other === null || !index.has(other, id)) remove.run(id);
    else if (index.isRecent(id)) detach.run({ id, archive });
  };
}
