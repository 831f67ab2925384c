import type Database from 'better-sqlite3';
import type { ListedRoom, PublicRoom, RoomSummary } from '../../../rooms.ts';

/** Prepares the reads about many rooms. */
export function prepareRoomLists(db: Database.Database) {
  const list = db.prepare<[string, string, number], ListedRoom>(
    'SELECT address, name FROM rooms WHERE is_public = 1 AND domain = ? AND address > ? ORDER BY address LIMIT ?',
  );
  const listConfigs = db.prepare<[string, string, number], PublicRoom>(
    'SELECT address, config FROM rooms WHERE is_public = 1 AND domain = ? AND address > ? ORDER BY address LIMIT ?',
  );
  const listAll = db.prepare<[string, number], ListedRoom & { isPublic: number; messages: number }>(
    `SELECT address, name, is_public AS isPublic, messages FROM rooms JOIN room_archives ON room = rooms.id
     WHERE address > ? ORDER BY address LIMIT ?`,
  );
  const countPublic = db.prepare<[string], number>('SELECT public_rooms FROM room_totals WHERE domain = ?').pluck();
  const countAll = db.prepare<[], number | null>('SELECT sum(rooms) FROM room_totals').pluck();
  const countOwned = db
    .prepare<[string], number>("SELECT count(*) FROM room_affiliations WHERE jid = ? AND affiliation = 'owner'")
    .pluck();
  return {
    publicRooms: (domain: string, after: string, limit: number): ListedRoom[] => list.all(domain, after, limit),
    publicConfigs: (domain: string, after: string, limit: number): PublicRoom[] =>
      listConfigs.all(domain, after, limit),
    list: (after: string, limit: number): RoomSummary[] =>
      listAll.all(after, limit).map((room) => ({ ...room, isPublic: room.isPublic === 1 })),
    countPublicRooms: (domain: string): number => countPublic.get(domain) ?? 0,
    countRooms: (owner: string) => ({ all: countAll.get() ?? 0, owned: countOwned.get(owner) ?? 0 }),
  };
}
