import type Database from 'better-sqlite3';
import type { ArchiveLimits } from '../../../archive.ts';
import type { ArchiveIndex } from './archive-index.ts';

/** Messages that one operation removes, and entries that it moves: it must not hold up others for long. */
const removedAtOnce = 250;
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
  const removeOldest = (archive: number, count: number, beforeId = Number.POSITIVE_INFINITY): number => {
    const ids = index.ids(archive, { afterId: 0, beforeId }, count, 'first');
    for (const id of ids) removeEntry(archive, id);
    return ids.length;
  };
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
  const abandoned = db.prepare<[], number>('SELECT id FROM archives WHERE account_id IS NULL').pluck();
  const forget = db.prepare<[number]>('DELETE FROM archives WHERE id = ?');
  const overfull = db.prepare<[number], { id: number; entries: number }>(
    'SELECT id, entries FROM archives WHERE entries > ? LIMIT 1',
  );
  /** Each of these is true if it found something to do. */
  const removeOld = ({ removeBeforeId }: ArchiveLimits): boolean => {
    const messages = old.all(removeBeforeId, removedAtOnce);
    for (const { id, senderArchive, recipientArchive } of messages) {
      if (senderArchive !== null) removeEntry(senderArchive, id);
      if (recipientArchive !== null) removeEntry(recipientArchive, id);
      removeMessage.run(id);
    }
    return messages.length > 0;
  };
  const removeAbandoned = (spared: readonly number[]): boolean => {
    const archive = abandoned.all().find((one) => !spared.includes(one));
    if (archive === undefined) return false;
    if (removeOldest(archive, removedAtOnce) === 0) forget.run(archive);
    return true;
  };
  const removeExcess = ({ maxMessages }: ArchiveLimits): boolean => {
    const archive = overfull.get(maxMessages);
    return (
      archive !== undefined && removeOldest(archive.id, Math.min(archive.entries - maxMessages, removedAtOnce)) > 0
    );
  };
  return {
    /** `spared` are archives without an owner that are being filled. */
    tidy: (limits: ArchiveLimits, spared: readonly number[]): boolean => {
      index.refresh();
      const moreToMove = index.advanceTo(limits.indexBeforeId - 1, movedAtOnce);
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
