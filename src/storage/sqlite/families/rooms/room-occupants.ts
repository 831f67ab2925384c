import type Database from 'better-sqlite3';
import type { OccupantChange, StoredOccupant } from '../../../rooms.ts';
import { asBuffer, ownBytes } from '../../bytes.ts';

/** A client in a room as it travels between the threads. */
type PackedOccupant = Omit<StoredOccupant, 'presence'> & { readonly presence: Uint8Array };

/** The clients in a room, and the nicknames that were left. */
export interface OccupantsOfRoom {
  readonly occupants: readonly PackedOccupant[];
  readonly departed: readonly string[];
}

type PackedOccupantChange =
  | Exclude<OccupantChange, { readonly kind: 'present' }>
  | { readonly kind: 'present'; readonly occupant: PackedOccupant };

/** For how long nicknames that were left are remembered. The server ends connections that confirm nothing for so long. */
const rememberedMs = 10 * 60 * 1000;

/** Makes a change ready for another thread. */
export function packOccupantChange(change: OccupantChange): PackedOccupantChange {
  if (change.kind !== 'present') return change;
  const { occupant } = change;
  return { kind: 'present', occupant: { ...occupant, presence: ownBytes(occupant.presence) } };
}

/** The clients in a room as they were stored. */
export function unpackOccupants(occupants: readonly PackedOccupant[]): StoredOccupant[] {
  return occupants.map(({ presence, ...occupant }) => ({ ...occupant, presence: asBuffer(presence) }));
}

/** Prepares reading the clients in one room. */
export function prepareOccupantsOf(db: Database.Database): (room: number) => OccupantsOfRoom {
  const present = db.prepare<[number], PackedOccupant>(
    'SELECT jid, nick, role, presence, seen_id AS seenId FROM room_occupants WHERE room = ? ORDER BY id',
  );
  const departed = db
    .prepare<[number], string>('SELECT nick FROM room_departures WHERE room = ? ORDER BY nick')
    .pluck();
  return (room) => ({ occupants: present.all(room), departed: departed.all(room) });
}

/** Prepares what happens to clients in rooms. */
export function prepareRoomOccupants(db: Database.Database) {
  const occupied = db
    .prepare<[string, string, number], string>(
      `SELECT address FROM rooms WHERE address > ? AND id IN (SELECT room FROM room_occupants)
       UNION SELECT address FROM rooms WHERE address > ? AND json_extract(config, '$.persistent') = 0
       ORDER BY address LIMIT ?`,
    )
    .pluck();
  const forgetStops = db.prepare('DELETE FROM orderly_stops');
  const stop = db.prepare<[number]>('INSERT INTO orderly_stops (at_ms) VALUES (?)');
  return {
    reads: { occupied: (after: string, limit: number): string[] => occupied.all(after, after, limit) },
    writes: {
      changeOccupants: prepareChangeOccupants(db),
      begin: (): boolean => forgetStops.run().changes > 0,
      end: (nowMs: number): void => {
        stop.run(nowMs);
      },
    },
  };
}

function prepareChangeOccupants(db: Database.Database) {
  const isThere = db.prepare<[number]>('SELECT 1 FROM rooms WHERE id = ?');
  const put = db.prepare<[number, string, string, string, Uint8Array, number]>(
    'INSERT OR REPLACE INTO room_occupants (room, jid, nick, role, presence, seen_id) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const see = db.prepare<[number, number, string]>('UPDATE room_occupants SET seen_id = ? WHERE room = ? AND jid = ?');
  const leave = db.prepare<[number, string]>('DELETE FROM room_occupants WHERE room = ? AND jid = ?');
  const remember = db.prepare<[number, string, number]>(
    'INSERT OR REPLACE INTO room_departures (room, nick, left_at_ms) VALUES (?, ?, ?)',
  );
  const forget = db.prepare<[number]>('DELETE FROM room_departures WHERE left_at_ms < ?');
  const make = (room: number, change: PackedOccupantChange, nowMs: number): void => {
    switch (change.kind) {
      case 'present': {
        const { jid, nick, role, presence, seenId } = change.occupant;
        put.run(room, jid, nick, role, presence, seenId);
        return;
      }
      case 'seen':
        see.run(change.seenId, room, change.jid);
        return;
      case 'left':
        leave.run(room, change.jid);
        remember.run(room, change.nick, nowMs);
    }
  };
  return (rows: readonly { readonly room: number; readonly change: PackedOccupantChange }[], nowMs: number): void => {
    for (const { room, change } of rows) if (isThere.get(room)) make(room, change, nowMs);
    forget.run(nowMs - rememberedMs);
  };
}
