import type Database from 'better-sqlite3';
import type { RoomImport, RoomListing } from '../../../rooms.ts';
import { StorageError } from '../../../storage-error.ts';
import type { PackedChange, PackedNewRoom, prepareRoomWrites } from './room-changes.ts';

/** How long an import may take. */
const mostMs = 7 * 24 * 60 * 60 * 1000;

/** Prepares imports of rooms. `create` and `change` make the room of an import that ends. */
export function prepareRoomImports(
  db: Database.Database,
  { create, change }: Pick<ReturnType<typeof prepareRoomWrites>, 'create' | 'change'>,
) {
  const find = db.prepare<[number], RoomImport>('SELECT address, content FROM room_imports WHERE room = ?');
  const isTaken = db.prepare<[string]>('SELECT 1 FROM rooms WHERE address = ?');
  const add = db.prepare<[number, string, string, number]>(
    'INSERT INTO room_imports (room, address, content, begun_at_ms) VALUES (?, ?, ?, ?)',
  );
  const addArchive = db.prepare<[number]>('INSERT INTO room_archives (room) VALUES (?)');
  const remove = db.prepare<[number]>('DELETE FROM room_imports WHERE room = ?');
  const removeAt = db.prepare<[string], number>('DELETE FROM room_imports WHERE address = ? RETURNING room').pluck();
  const abandon = db.prepare<[number]>('UPDATE room_archives SET abandoned = 1 WHERE room = ?');
  const reserveNumber = prepareReserveNumber(db);
  return {
    reads: { findImport: (room: number): RoomImport | undefined => find.get(room) },
    writes: {
      beginImport: ({ address, content }: RoomImport, nowMs: number): number => {
        if (isTaken.get(address)) throw new StorageError('conflict', `${address} has a room already`);
        for (const earlier of removeAt.all(address)) abandon.run(earlier);
        const room = reserveNumber();
        addArchive.run(room);
        add.run(room, address, content, nowMs);
        return room;
      },
      endImport: (
        number: number,
        room: PackedNewRoom,
        listing: RoomListing,
        changes: readonly PackedChange[],
      ): void => {
        if (remove.run(number).changes === 0) throw new StorageError('not-found', `There is no import ${number}`);
        create(room, listing, number);
        change(number, changes);
      },
    },
  };
}

/** Prepares giving up one import that has begun long ago; true if there was one. */
export function prepareTidyImports(db: Database.Database): (nowMs: number) => boolean {
  const remove = db
    .prepare<[number], number>(
      `DELETE FROM room_imports WHERE room IN (
         SELECT room FROM room_imports WHERE begun_at_ms <= ? ORDER BY begun_at_ms LIMIT 1) RETURNING room`,
    )
    .pluck();
  const abandon = db.prepare<[number]>('UPDATE room_archives SET abandoned = 1 WHERE room = ?');
  return (nowMs) => {
    const rooms = remove.all(nowMs - mostMs);
    for (const room of rooms) abandon.run(room);
    return rooms.length > 0;
  };
}

/** Prepares taking a number that no room has had and none will get. */
function prepareReserveNumber(db: Database.Database): () => number {
  const insert = db.prepare(
    `INSERT INTO rooms (address, domain, created_at_ms, config, name, is_public, occupant_key)
     VALUES ('', '', 0, '{}', '', 0, x'')`,
  );
  const remove = db.prepare<[number]>('DELETE FROM rooms WHERE id = ?');
  return () => {
    const number = Number(insert.run().lastInsertRowid);
    remove.run(number);
    return number;
  };
}
