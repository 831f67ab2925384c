import type Database from 'better-sqlite3';
import type { ArchiveIndex } from './archive-index.ts';

/** A part of what archives hold. */
interface MeasuredPart {
  readonly messages: number;
  readonly bytes: number;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
}

/** Prepares the measuring of one archive or of all, a part in each operation: the whole takes seconds for each million of messages. */
export function prepareUsage(db: Database.Database, index: ArchiveIndex) {
  const sizeOf = db.prepare<[number], number>('SELECT octet_length(bytes) FROM archive_messages WHERE id = ?').pluck();
  const measureAll = db.prepare<[number, number], [number, number | null, number | null, number | null]>(
    `SELECT count(*), sum(size), min(id), max(id)
     FROM (SELECT id, octet_length(bytes) AS size FROM archive_messages WHERE id > ? ORDER BY id LIMIT ?)`,
  );
  measureAll.raw();
  return {
    /** The first messages behind an id; of all archives together if none is named. */
    measure: (archive: number | undefined, afterId: number, limit: number): MeasuredPart => {
      if (archive === undefined) {
        const [messages, bytes, firstId, lastId] = measureAll.get(afterId, limit)!;
        return { messages, bytes: bytes ?? 0, firstId: firstId ?? undefined, lastId: lastId ?? undefined };
      }
      index.refresh();
      const ids = index.ids(archive, { afterId, beforeId: Number.POSITIVE_INFINITY }, limit, 'first');
      const bytes = ids.reduce((sum, id) => sum + (sizeOf.get(id) ?? 0), 0);
      return { messages: ids.length, bytes, firstId: ids[0], lastId: ids.at(-1) };
    },
  };
}
