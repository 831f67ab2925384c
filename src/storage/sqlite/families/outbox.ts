import type Database from 'better-sqlite3';
import type { OutboxStore } from '../../outbox.ts';
import { asBuffer } from '../bytes.ts';
import { defineFamily } from '../family.ts';

interface OutboxRow {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** Changes the outbox as a part of another write. */
export interface OutboxChanges {
  put(reports: readonly Uint8Array[]): void;
  remove(id: number): void;
}

export function prepareOutboxChanges(db: Database.Database): OutboxChanges {
  const insert = db.prepare<[Uint8Array]>('INSERT INTO outbox (bytes) VALUES (?)');
  const remove = db.prepare<[number]>('DELETE FROM outbox WHERE id = ?');
  return {
    put: (reports) => {
      for (const report of reports) insert.run(report);
    },
    remove: (id) => void remove.run(id),
  };
}

/** Stanzas that the server itself has to send. The family of offline messages adds them. */
export const outbox = defineFamily({
  name: 'outbox',
  prepare: (db) => {
    const changes = prepareOutboxChanges(db);
    const list = db.prepare<[number, number], OutboxRow>(
      'SELECT id, bytes FROM outbox WHERE id > ? ORDER BY id LIMIT ?',
    );
    return {
      reads: { list: (afterId: number, limit: number): OutboxRow[] => list.all(afterId, limit) },
      writes: {
        remove: (ids: readonly number[]): void => {
          for (const id of ids) changes.remove(id);
        },
      },
    };
  },
  adds: [],
  store: ({ run }): OutboxStore => ({
    list: async (afterId, limit) => {
      const rows = await run('list', afterId, limit);
      return rows.map(({ id, bytes }) => ({ id, bytes: asBuffer(bytes) }));
    },
    remove: (ids) => run('remove', ids),
  }),
});
