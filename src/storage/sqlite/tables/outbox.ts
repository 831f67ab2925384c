import type Database from 'better-sqlite3';

/** An entry of the outbox as it travels between the threads. */
interface PackedOutboxEntry {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** Moves stanzas into the outbox, and out of it, as a part of another write. */
export interface OutboxWriting {
  put(reports: readonly Uint8Array[]): void;
  take(id: number): void;
}

/** The operations on the outbox. */
export function outboxOperations(db: Database.Database) {
  const list = db.prepare<[number, number], PackedOutboxEntry>(
    'SELECT id, bytes FROM outbox WHERE id > ? ORDER BY id LIMIT ?',
  );
  const insert = db.prepare<[Uint8Array]>('INSERT INTO outbox (bytes) VALUES (?)');
  const remove = db.prepare<[number]>('DELETE FROM outbox WHERE id = ?');
  const writing: OutboxWriting = {
    put: (reports) => {
      for (const report of reports) insert.run(report);
    },
    take: (id) => void remove.run(id),
  };
  return {
    writing,
    reads: {
      'outbox.list': (afterId: number, limit: number): PackedOutboxEntry[] => list.all(afterId, limit),
    },
    writes: {
      'outbox.remove': (ids: readonly number[]): void => {
        for (const id of ids) remove.run(id);
      },
    },
  };
}
