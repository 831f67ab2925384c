import type Database from 'better-sqlite3';
import type { NewRoom, RoomAffiliation, RoomListing, RoomTombstone, StoredRoomChange } from '../../../rooms.ts';
import { StorageError } from '../../../storage-error.ts';
import { ownBytes } from '../../bytes.ts';

/** A new room as it travels between the threads. */
export type PackedNewRoom = Omit<NewRoom, 'occupantKey'> & { readonly occupantKey: Uint8Array };

/** A change as it travels between the threads. */
export type PackedChange =
  | Exclude<StoredRoomChange, { readonly kind: 'subject' | 'message-replaced' }>
  | { readonly kind: 'subject'; readonly message: Uint8Array; readonly atMs: number }
  | { readonly kind: 'message-replaced'; readonly id: number; readonly bytes: Uint8Array };

/** Makes a new room ready for another thread. */
export function packNewRoom({ occupantKey, ...room }: NewRoom): PackedNewRoom {
  return { ...room, occupantKey: ownBytes(occupantKey) };
}

/** Makes a change ready for another thread. */
export function packChange(change: StoredRoomChange): PackedChange {
  switch (change.kind) {
    case 'subject':
      return { kind: 'subject', message: ownBytes(change.subject.message), atMs: change.subject.atMs };
    case 'message-replaced':
      return { ...change, bytes: ownBytes(change.bytes) };
    default:
      return change;
  }
}

/** Prepares the writes that create, change and remove rooms. */
export function prepareRoomWrites(db: Database.Database) {
  return { ...prepareExistence(db), change: prepareChange(db), forget: prepareForget(db) };
}

function prepareExistence(db: Database.Database) {
  const affiliations = prepareAffiliations(db);
  const isThere = db.prepare<[string]>('SELECT 1 FROM rooms WHERE address = ?');
  const insert = db.prepare<[number | null, string, string, number, string, string, number, Uint8Array]>(
    `INSERT INTO rooms (id, address, domain, created_at_ms, config, name, is_public, occupant_key)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const addArchive = db.prepare<[number]>('INSERT OR IGNORE INTO room_archives (room) VALUES (?)');
  const forgetTombstone = db.prepare<[string]>('DELETE FROM room_tombstones WHERE address = ?');
  const totals = prepareTotals(db);
  const remove = db.prepare<[number], { address: string; domain: string; isPublic: number }>(
    'DELETE FROM rooms WHERE id = ? RETURNING address, domain, is_public AS isPublic',
  );
  const abandon = db.prepare<[number]>('UPDATE room_archives SET abandoned = 1 WHERE room = ?');
  const bury = db.prepare<[string, number, string | null, string | null, string]>(
    'INSERT OR REPLACE INTO room_tombstones (address, until_ms, alternative, reason, owners) VALUES (?, ?, ?, ?, ?)',
  );
  return {
    /** `reserved` is a number that was given out for the room. */
    create: (room: PackedNewRoom, { name, isPublic }: RoomListing, reserved?: number): number => {
      const { address, createdAtMs, config, occupantKey } = room;
      if (isThere.get(address)) throw new StorageError('conflict', `${address} has a room already`);
      const domain = address.slice(address.lastIndexOf('@') + 1);
      const row = insert.run(
        reserved ?? null,
        address,
        domain,
        createdAtMs,
        config,
        name,
        isPublic ? 1 : 0,
        occupantKey,
      );
      const id = Number(row.lastInsertRowid);
      addArchive.run(id);
      totals.change(domain, { rooms: 1, publicRooms: isPublic ? 1 : 0 });
      for (const entry of room.affiliations) affiliations.add(id, entry);
      forgetTombstone.run(address);
      return id;
    },
    destroy: (room: number, tombstone: RoomTombstone | undefined): void => {
      const { address, domain, isPublic } = remove.get(room) ?? noRoom(room);
      totals.change(domain, { rooms: -1, publicRooms: -isPublic });
      abandon.run(room);
      if (!tombstone) return;
      const { untilMs, alternative, reason, owners } = tombstone;
      bury.run(address, untilMs, alternative ?? null, reason ?? null, JSON.stringify(owners));
    },
  };
}

function prepareChange(db: Database.Database) {
  const affiliations = prepareAffiliations(db);
  const isThere = db.prepare<[number]>('SELECT 1 FROM rooms WHERE id = ?');
  const configure = prepareConfigure(db);
  const setSubject = db.prepare<[Uint8Array, number, number]>(
    'UPDATE rooms SET subject = ?, subject_at_ms = ? WHERE id = ?',
  );
  const replace = db.prepare<[Uint8Array, number, number]>(
    'UPDATE room_messages SET bytes = ? WHERE id = ? AND room = ?',
  );
  const setVcard = prepareSetVcard(db);
  const make = (room: number, change: PackedChange): void => {
    switch (change.kind) {
      case 'config':
        configure(room, change.config, change.listing);
        return;
      case 'affiliation':
        affiliations.add(room, change.entry);
        return;
      case 'affiliation-removed':
        return;
      case 'subject':
        setSubject.run(change.message, change.atMs, room);
        return;
      case 'vcard':
        setVcard(room, change.vcard);
        return;
      case 'message-replaced':
        replace.run(change.bytes, change.id, room);
    }
  };
  return (room: number, changes: readonly PackedChange[]): void => {
    if (!isThere.get(room)) noRoom(room);
    // First, because one user may get the nickname that another one loses.
    for (const change of changes) {
      if (change.kind === 'affiliation-removed') affiliations.remove(room, change.jid);
      if (change.kind === 'affiliation') affiliations.remove(room, change.entry.jid);
    }
    for (const change of changes) make(room, change);
  };
}

function prepareSetVcard(db: Database.Database) {
  const put = db.prepare<[number, string, string]>(
    'INSERT OR REPLACE INTO room_vcards (room, xml, avatar_hashes) VALUES (?, ?, ?)',
  );
  const remove = db.prepare<[number]>('DELETE FROM room_vcards WHERE room = ?');
  return (room: number, vcard: (StoredRoomChange & { readonly kind: 'vcard' })['vcard']): void => {
    if (vcard) put.run(room, vcard.xml, JSON.stringify(vcard.avatarHashes));
    else remove.run(room);
  };
}

function prepareConfigure(db: Database.Database) {
  const totals = prepareTotals(db);
  const before = db.prepare<[number], { domain: string; isPublic: number }>(
    'SELECT domain, is_public AS isPublic FROM rooms WHERE id = ?',
  );
  const configure = db.prepare<[string, string, number, number]>(
    'UPDATE rooms SET config = ?, name = ?, is_public = ? WHERE id = ?',
  );
  return (room: number, config: string, { name, isPublic }: RoomListing): void => {
    const was = before.get(room) ?? noRoom(room);
    const is = isPublic ? 1 : 0;
    configure.run(config, name, is, room);
    if (is !== was.isPublic) totals.change(was.domain, { rooms: 0, publicRooms: is - was.isPublic });
  };
}

/** Counts the rooms of domains. */
function prepareTotals(db: Database.Database) {
  const make = db.prepare<[string]>('INSERT OR IGNORE INTO room_totals (domain, rooms, public_rooms) VALUES (?, 0, 0)');
  const add = db.prepare<[number, number, string]>(
    'UPDATE room_totals SET rooms = rooms + ?, public_rooms = public_rooms + ? WHERE domain = ?',
  );
  return {
    change: (
      domain: string,
      { rooms, publicRooms }: { readonly rooms: number; readonly publicRooms: number },
    ): void => {
      make.run(domain);
      add.run(rooms, publicRooms, domain);
    },
  };
}

function prepareAffiliations(db: Database.Database) {
  const insert = db.prepare<[number, string, string, string | null, string | null, string | null]>(
    `INSERT INTO room_affiliations (room, jid, affiliation, nick, nick_key, reason) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const remove = db.prepare<[number, string]>('DELETE FROM room_affiliations WHERE room = ? AND jid = ?');
  return {
    add: (room: number, { jid, affiliation, nick, nickKey, reason }: RoomAffiliation): void => {
      insert.run(room, jid, affiliation, nick ?? null, nickKey ?? null, reason ?? null);
    },
    remove: (room: number, jid: string): void => {
      remove.run(room, jid);
    },
  };
}

function prepareForget(db: Database.Database) {
  const addresses = db
    .prepare<[string], string>(
      `SELECT address FROM rooms JOIN room_affiliations ON room = rooms.id WHERE jid = ? ORDER BY address`,
    )
    .pluck();
  const forget = db.prepare<[string]>('DELETE FROM room_affiliations WHERE jid = ?');
  return (jid: string): string[] => {
    const found = addresses.all(jid);
    forget.run(jid);
    return found;
  };
}

function noRoom(room: number): never {
  throw new StorageError('not-found', `There is no room ${room}`);
}
