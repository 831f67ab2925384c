import type Database from 'better-sqlite3';

/** A stanza on its way out as it travels between the threads. */
interface PackedOutgoing {
  readonly id: number;
  readonly receivedAtMs: number;
  readonly bytes: Uint8Array;
}

/** The operations on stanzas on their way out. */
export function outgoingOperations(db: Database.Database) {
  const add = db.prepare<[number, Uint8Array]>('INSERT INTO outgoing (received_at_ms, bytes) VALUES (?, ?)');
  const remove = db.prepare<[number]>('DELETE FROM outgoing WHERE id = ?');
  const list = db.prepare<[number, number], PackedOutgoing>(
    'SELECT id, received_at_ms AS receivedAtMs, bytes FROM outgoing WHERE id > ? ORDER BY id LIMIT ?',
  );
  return {
    reads: {
      'outgoing.list': (afterId: number, limit: number): PackedOutgoing[] => list.all(afterId, limit),
    },
    writes: {
      'outgoing.add': (receivedAtMs: number, bytes: Uint8Array): number =>
        Number(add.run(receivedAtMs, bytes).lastInsertRowid),
      'outgoing.remove': (ids: readonly number[]): void => {
        for (const id of ids) remove.run(id);
      },
    },
  };
}
