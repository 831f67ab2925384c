import type Database from 'better-sqlite3';
import type { ArchiveLimits } from '../../../archive.ts';
import { firstIdAt } from '../../../ordered-ids.ts';
import type { RoomRange } from '../../../rooms.ts';
import { inTime, prepareOverfull, removedAtOnce } from '../tidying.ts';
import { prepareTidyImports } from './room-imports.ts';

/** A message as it travels between the threads. */
export interface PackedRoomMessage {
  readonly id: number;
  readonly author: string;
  readonly occupantId: string;
  readonly bytes: Uint8Array;
}

/** A new message as it travels between the threads. */
type PackedNewMessage = PackedRoomMessage & { readonly room: number };

const columns = 'id, author, occupant_id AS occupantId, bytes';

/** Prepares the archives of rooms. */
export function prepareRoomMessages(db: Database.Database) {
  const counts = prepareCounts(db);
  return {
    reads: prepareReads(db),
    writes: { append: prepareAppend(db, counts), purge: preparePurge(db, counts), tidy: prepareTidy(db, counts) },
  };
}

function prepareReads(db: Database.Database) {
  const select = (order: string) =>
    db.prepare<[{ room: number; limit: number } & RoomRange], PackedRoomMessage>(
      `SELECT ${columns} FROM room_messages WHERE room = @room AND id > @afterId AND id < @beforeId ${order} LIMIT @limit`,
    );
  const [first, last] = [select('ORDER BY id'), select('ORDER BY id DESC')];
  const one = db.prepare<[number, number], PackedRoomMessage>(
    `SELECT ${columns} FROM room_messages WHERE id = ? AND room = ?`,
  );
  const count = db
    .prepare<[{ room: number; most: number } & RoomRange], number>(
      `SELECT count(*) FROM (
         SELECT 1 FROM room_messages WHERE room = @room AND id > @afterId AND id < @beforeId LIMIT @most)`,
    )
    .pluck();
  const countAll = db.prepare<[number], number>('SELECT messages FROM room_archives WHERE room = ?').pluck();
  const end = (order: string) =>
    db.prepare<[number], number>(`SELECT id FROM room_messages WHERE room = ? ${order} LIMIT 1`).pluck();
  const [firstId, lastId] = [end('ORDER BY id'), end('ORDER BY id DESC')];
  const isUsed = db.prepare<[number], number>('SELECT 1 FROM room_messages WHERE id = ?').pluck();
  return {
    idsAt: (timesMs: readonly number[]): number[] => {
      let last = 0;
      return timesMs.map((timeMs) => {
        last = Math.max(firstIdAt(timeMs), last + 1);
        while (isUsed.get(last) !== undefined) last += 1;
        return last;
      });
    },
    page: (room: number, { afterId, beforeId }: RoomRange, limit: number, which: 'first' | 'last') =>
      which === 'first'
        ? first.all({ room, afterId, beforeId, limit })
        : last.all({ room, afterId, beforeId, limit }).reverse(),
    find: (room: number, ids: readonly number[]): PackedRoomMessage[] => ids.flatMap((id) => one.get(id, room) ?? []),
    /** All messages of a room are counted already. */
    count: (room: number, { afterId, beforeId }: RoomRange, most: number): number => {
      const isAll = afterId <= 0 && beforeId === Number.POSITIVE_INFINITY;
      return isAll ? Math.min(countAll.get(room) ?? 0, most) : (count.get({ room, afterId, beforeId, most }) ?? 0);
    },
    bounds: (room: number): readonly [number, number] | undefined => {
      const [from, to] = [firstId.get(room), lastId.get(room)];
      return from === undefined || to === undefined ? undefined : [from, to];
    },
  };
}

/** Counts the messages of rooms. */
function prepareCounts(db: Database.Database) {
  const grow = db.prepare<[number, number]>(
    'UPDATE room_archives SET messages = messages + ? WHERE room = ? AND abandoned = 0',
  );
  const shrink = db.prepare<[number, number]>('UPDATE room_archives SET messages = messages - ? WHERE room = ?');
  return {
    /** False if the room is gone. */
    grow: (room: number, by: number): boolean => grow.run(by, room).changes > 0,
    shrink: (room: number, by: number): void => {
      shrink.run(by, room);
    },
  };
}

type Counts = ReturnType<typeof prepareCounts>;

function prepareAppend(db: Database.Database, counts: Counts) {
  const insert = db.prepare<[number, number, string, string, Uint8Array]>(
    'INSERT INTO room_messages (id, room, author, occupant_id, bytes) VALUES (?, ?, ?, ?, ?)',
  );
  return (messages: readonly PackedNewMessage[]): void => {
    const alive = new Map<number, boolean>();
    for (const [room, number] of countedByRoom(messages)) alive.set(room, counts.grow(room, number));
    for (const { id, room, author, occupantId, bytes } of messages) {
      if (alive.get(room)) insert.run(id, room, author, occupantId, bytes);
    }
  };
}

/** The number of messages that were removed; 0 if none is left. */
function preparePurge(db: Database.Database, counts: Counts) {
  const remove = db.prepare<[number, number, number]>(
    'DELETE FROM room_messages WHERE id IN (SELECT id FROM room_messages WHERE room = ? AND id < ? ORDER BY id LIMIT ?)',
  );
  return (room: number, beforeId: number): number => {
    const { changes } = remove.run(room, beforeId, removedAtOnce);
    counts.shrink(room, changes);
    return changes;
  };
}

function countedByRoom(messages: readonly { readonly room: number }[]): Map<number, number> {
  const counted = new Map<number, number>();
  for (const { room } of messages) counted.set(room, (counted.get(room) ?? 0) + 1);
  return counted;
}

function prepareTidy(db: Database.Database, counts: Counts) {
  const abandoned = db.prepare<[], number>('SELECT room FROM room_archives WHERE abandoned = 1 LIMIT 1').pluck();
  const forget = db.prepare<[number]>('DELETE FROM room_archives WHERE room = ?');
  const nextOverfull = prepareOverfull(db, { table: 'room_archives', owner: 'room', count: 'messages' });
  const removeOldestRows = db.prepare<[number, number]>(
    'DELETE FROM room_messages WHERE id IN (SELECT id FROM room_messages WHERE room = ? ORDER BY id LIMIT ?)',
  );
  const removeOldest = (room: number, most: number): number => {
    const removed = inTime(most, (count) => removeOldestRows.run(room, count).changes);
    counts.shrink(room, removed);
    return removed;
  };
  const removeOld = db.prepare<[number, number], { room: number }>(
    `DELETE FROM room_messages WHERE id IN (SELECT id FROM room_messages WHERE id < ? ORDER BY id LIMIT ?)
       RETURNING room`,
  );
  const removeTombstones = db.prepare<[number, number]>(
    `DELETE FROM room_tombstones WHERE address IN (
       SELECT address FROM room_tombstones WHERE until_ms <= ? ORDER BY until_ms LIMIT ?)`,
  );
  /** Each of these is true if it found something to do. */
  const tidyAbandoned = (): boolean => {
    const room = abandoned.get();
    if (room === undefined) return false;
    if (removeOldest(room, removedAtOnce) === 0) forget.run(room);
    return true;
  };
  const removeSomeOld = (removeBeforeId: number, count: number): number => {
    const removed = removeOld.all(removeBeforeId, count);
    for (const [room, number] of countedByRoom(removed)) counts.shrink(room, number);
    return removed.length;
  };
  const tidyOld = (removeBeforeId: number): boolean =>
    inTime(removedAtOnce, (count) => removeSomeOld(removeBeforeId, count)) > 0;
  const tidyExcess = (maxMessages: number): boolean => {
    const found = nextOverfull(maxMessages);
    if (typeof found === 'boolean') return found;
    return removeOldest(found.owner, Math.min(found.excess, removedAtOnce)) > 0;
  };
  const tidyImports = prepareTidyImports(db);
  const tidyTombstones = (nowMs: number): boolean => removeTombstones.run(nowMs, removedAtOnce).changes > 0;
  return ({ removeBeforeId, maxMessages }: Pick<ArchiveLimits, 'removeBeforeId' | 'maxMessages'>, nowMs: number) =>
    tidyAbandoned() ||
    tidyOld(removeBeforeId) ||
    tidyExcess(maxMessages) ||
    tidyTombstones(nowMs) ||
    tidyImports(nowMs);
}
