import type Database from 'better-sqlite3';
import type { ArchiveUsage } from '../../../archive.ts';
import type { ArchiveIndex } from './archive-index.ts';

/** Messages that one operation measures. */
const measuredAtOnce = 2000;

/** Prepares the measuring of one archive or of all, a part in each operation: the whole takes seconds for each million of messages. */
export function prepareUsage(db: Database.Database, index: ArchiveIndex) {
  const sizeOf = db.prepare<[number], number>('SELECT octet_length(bytes) FROM archive_messages WHERE id = ?').pluck();
  const measureAll = prepareMeasuring(db, 'archive_messages');
  return {
    /** The first messages behind an id; of all archives together if none is named. */
    measure: (archive: number | undefined, afterId: number, limit: number): ArchiveUsage => {
      if (archive === undefined) return measureAll(afterId, limit);
      index.refresh();
      const ids = index.ids(archive, { afterId, beforeId: Number.POSITIVE_INFINITY }, limit, 'first');
      const bytes = ids.reduce((sum, id) => sum + (sizeOf.get(id) ?? 0), 0);
      return { messages: ids.length, bytes, firstId: ids[0], lastId: ids.at(-1) };
    },
  };
}

/** Prepares the measuring of the first messages behind an id, in all archives of a table together. */
export function prepareMeasuring(db: Database.Database, table: 'archive_messages' | 'room_messages') {
  const measure = db.prepare<[number, number], [number, number | null, number | null, number | null]>(
    `SELECT count(*), sum(size), min(id), max(id)
     FROM (SELECT id, octet_length(bytes) AS size FROM ${table} WHERE id > ? ORDER BY id LIMIT ?)`,
  );
  measure.raw();
  return (afterId: number, limit: number): ArchiveUsage => {
    const [messages, bytes, firstId, lastId] = measure.get(afterId, limit)!;
    return { messages, bytes: bytes ?? 0, firstId: firstId ?? undefined, lastId: lastId ?? undefined };
  };
}

/** Measures a part in each operation, until no messages are left. */
export async function usageInSteps(
  measure: (afterId: number, limit: number) => Promise<ArchiveUsage>,
): Promise<ArchiveUsage> {
  let usage: ArchiveUsage = { messages: 0, bytes: 0, firstId: undefined, lastId: undefined };
  for (;;) {
    const { messages, bytes, firstId, lastId } = await measure(usage.lastId ?? 0, measuredAtOnce);
    if (messages === 0) return usage;
    usage = {
      messages: usage.messages + messages,
      bytes: usage.bytes + bytes,
      firstId: usage.firstId ?? firstId,
      lastId,
    };
  }
}
