import type Database from 'better-sqlite3';
import type { ListedRoom } from '../../../rooms.ts';

/** Prepares the reads about many rooms. */
export function prepareRoomLists(db: Database.Database) {
  const list = db.prepare<[string, string, number], ListedRoom>(
    'SELECT address, name FROM rooms WHERE is_public = 1 AND domain = ? AND address > ? ORDER BY address LIMIT ?',
  );
  const countPublic = db.prepare<[string], number>('SELECT public_rooms FROM room_totals WHERE domain = ?').pluck();
  const countAll = db.prepare<[], number | null>('SELECT sum(rooms) FROM room_totals').pluck();
  const countOwned = db
    .prepare<[string], number>("SELECT count(*) FROM room_affiliations WHERE jid = ? AND affiliation = 'owner'")
    .pluck();
  return {
    publicRooms: (domain: string, after: string, limit: number): ListedRoom[] => list.all(domain, after, limit),
    countPublicRooms: (domain: string): number => countPublic.get(domain) ?? 0,
    countRooms: (owner: string) => ({ all: countAll.get() ?? 0, owned: countOwned.get(owner) ?? 0 }),
  };
}
