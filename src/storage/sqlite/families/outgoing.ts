import type { OutgoingStore } from '../../outgoing.ts';
import { asBuffer, ownBytes } from '../bytes.ts';
import { defineFamily } from '../family.ts';

interface OutgoingRow {
  readonly id: number;
  readonly receivedAtMs: number;
  readonly bytes: Uint8Array;
}

/** Stanzas on their way to other servers and components. */
export const outgoing = defineFamily({
  name: 'outgoing',
  prepare: (db) => {
    const add = db.prepare<[number, Uint8Array]>('INSERT INTO outgoing (received_at_ms, bytes) VALUES (?, ?)');
    const remove = db.prepare<[number]>('DELETE FROM outgoing WHERE id = ?');
    const list = db.prepare<[number, number], OutgoingRow>(
      'SELECT id, received_at_ms AS receivedAtMs, bytes FROM outgoing WHERE id > ? ORDER BY id LIMIT ?',
    );
    return {
      reads: { list: (afterId: number, limit: number): OutgoingRow[] => list.all(afterId, limit) },
      writes: {
        add: (receivedAtMs: number, bytes: Uint8Array): number => Number(add.run(receivedAtMs, bytes).lastInsertRowid),
        remove: (ids: readonly number[]): void => {
          for (const id of ids) remove.run(id);
        },
      },
    };
  },
  adds: ['add'],
  store: ({ run }): OutgoingStore => ({
    add: ({ receivedAtMs, bytes }) => run('add', receivedAtMs, ownBytes(bytes)),
    remove: (ids) => run('remove', ids),
    list: async (afterId, limit) => {
      const rows = await run('list', afterId, limit);
      return rows.map((row) => ({ ...row, bytes: asBuffer(row.bytes) }));
    },
  }),
});
