import type Database from 'better-sqlite3';
import type {
  NewRoomMessage,
  OccupantChange,
  RoomRecord,
  RoomStore,
  RoomTombstone,
  StoredRoom,
} from '../../../rooms.ts';
import { asBuffer, ownBytes } from '../../bytes.ts';
import { defineFamily, type OperationsOf, type StoreContext } from '../../family.ts';
import { prepareMeasuring, usageInSteps } from '../archive/usage.ts';
import { packChange, packNewRoom, prepareRoomWrites } from './room-changes.ts';
import { prepareRoomImports } from './room-imports.ts';
import { prepareRoomLists } from './room-lists.ts';
import { type PackedRoomMessage, prepareRoomMessages } from './room-messages.ts';
import {
  type OccupantsOfRoom,
  packOccupantChange,
  prepareOccupantsOf,
  prepareRoomOccupants,
  unpackOccupants,
} from './room-occupants.ts';

/** The rooms, their affiliations and their messages. */
export const rooms = defineFamily({
  name: 'rooms',
  prepare: prepareRooms,
  adds: ['create', 'change', 'append', 'beginImport', 'endImport'],
  store: roomStore,
});

function prepareRooms(db: Database.Database) {
  const messages = prepareRoomMessages(db);
  const lists = prepareRoomLists(db);
  const occupants = prepareRoomOccupants(db);
  const writes = prepareRoomWrites(db);
  const imports = prepareRoomImports(db, writes);
  const measure = prepareMeasuring(db, 'room_messages');
  const reads = { open: prepareOpen(db), vcard: prepareVcard(db), measure, ...lists };
  return {
    reads: { ...reads, ...messages.reads, ...occupants.reads, ...imports.reads },
    writes: { ...writes, ...messages.writes, ...occupants.writes, ...imports.writes },
  };
}

function roomStore({ run, gather, nextId, nowMs }: StoreContext<OperationsOf<typeof prepareRooms>>): RoomStore {
  const unpack = (messages: readonly PackedRoomMessage[]) =>
    messages.map(({ bytes, ...message }) => ({ ...message, bytes: asBuffer(bytes) }));
  const changeOccupants = gather(
    'changeOccupants',
    ({ change }: { readonly room: number; readonly change: OccupantChange }) =>
      change.kind === 'present' ? change.occupant.presence.length : 0,
    (rows) => [rows.map(({ room, change }) => ({ room, change: packOccupantChange(change) })), nowMs()],
  );
  return {
    open: async (address) => unpackRoom(await run('open', address, nowMs())),
    create: (room, listing) => run('create', packNewRoom(room), listing),
    beginImport: (room) => run('beginImport', room, nowMs()),
    findImport: (room) => run('findImport', room),
    endImport: (number, room, listing, changes) =>
      run('endImport', number, packNewRoom(room), listing, changes.map(packChange)),
    vcard: (room) => run('vcard', room),
    change: (room, changes) => run('change', room, changes.map(packChange)),
    destroy: (room, tombstone) => run('destroy', room, tombstone),
    newMessageId: nextId,
    append: gather(
      'append',
      ({ bytes }: NewRoomMessage) => bytes.length,
      (messages) => [messages.map((one) => ({ ...one, bytes: ownBytes(one.bytes) }))],
    ),
    idsAt: (timesMs) => run('idsAt', timesMs),
    page: async (room, range, limit, which) => unpack(await run('page', room, range, limit, which)),
    find: async (room, ids) => unpack(await run('find', room, ids)),
    count: (room, range, most) => run('count', room, range, most),
    bounds: (room) => run('bounds', room),
    usage: () => usageInSteps((afterId, limit) => run('measure', afterId, limit)),
    purge: async (room, beforeId, atLeast = Number.POSITIVE_INFINITY) => {
      let removed = 0;
      while (removed < atLeast) {
        const step = await run('purge', room, beforeId);
        if (step === 0) break;
        removed += step;
      }
      return removed;
    },
    tidy: (limits) => run('tidy', limits, nowMs()),
    publicRooms: (domain, after, limit) => run('publicRooms', domain, after, limit),
    publicConfigs: (domain, after, limit) => run('publicConfigs', domain, after, limit),
    list: (after, limit) => run('list', after, limit),
    countPublicRooms: (domain) => run('countPublicRooms', domain),
    countRooms: (owner) => run('countRooms', owner),
    changeOccupant: (room, change) => changeOccupants({ room, change }),
    occupied: (after, limit) => run('occupied', after, limit),
    begin: () => run('begin'),
    end: () => run('end', nowMs()),
    forget: (jid) => run('forget', jid),
  };
}

/** The record of a room as it travels between the threads. */
type PackedRoom = Omit<RoomRecord, 'occupantKey' | 'subject' | 'occupants'> &
  OccupantsOfRoom & {
    readonly occupantKey: Uint8Array;
    readonly subject: Uint8Array | null;
    readonly subjectAtMs: number | null;
  };

function unpackRoom({
  record,
  tombstone,
}: {
  record?: PackedRoom | undefined;
  tombstone?: RoomTombstone | undefined;
}): StoredRoom {
  if (!record) return { record, tombstone };
  const { subject, subjectAtMs, occupantKey, occupants, ...rest } = record;
  return {
    record: {
      ...rest,
      occupants: unpackOccupants(occupants),
      occupantKey: asBuffer(occupantKey),
      subject: subject && subjectAtMs !== null ? { message: asBuffer(subject), atMs: subjectAtMs } : undefined,
    },
    tombstone,
  };
}

function prepareVcard(db: Database.Database) {
  const find = db.prepare<[number], string>('SELECT xml FROM room_vcards WHERE room = ?').pluck();
  return (room: number): string | undefined => find.get(room);
}

interface AffiliationRow {
  readonly jid: string;
  readonly affiliation: string;
  readonly nick: string | null;
  readonly nickKey: string | null;
  readonly reason: string | null;
}

interface VcardRow {
  /** A JSON array. */
  readonly avatarHashes: string | null;
}

interface TombstoneRow {
  readonly untilMs: number;
  readonly alternative: string | null;
  readonly reason: string | null;
  readonly owners: string;
}

function prepareOpen(db: Database.Database) {
  const room = db.prepare<
    [string],
    Omit<PackedRoom, 'affiliations' | 'avatarHashes' | keyof OccupantsOfRoom> & VcardRow
  >(
    `SELECT id AS room, address, created_at_ms AS createdAtMs, config, occupant_key AS occupantKey, subject,
       subject_at_ms AS subjectAtMs, avatar_hashes AS avatarHashes
     FROM rooms LEFT JOIN room_vcards ON room = id WHERE address = ?`,
  );
  const affiliations = db.prepare<[number], AffiliationRow>(
    'SELECT jid, affiliation, nick, nick_key AS nickKey, reason FROM room_affiliations WHERE room = ? ORDER BY jid',
  );
  const tombstone = db.prepare<[string, number], TombstoneRow>(
    'SELECT until_ms AS untilMs, alternative, reason, owners FROM room_tombstones WHERE address = ? AND until_ms > ?',
  );
  const occupantsOf = prepareOccupantsOf(db);
  return (address: string, nowMs: number) => {
    const found = room.get(address);
    if (found) {
      const listed = affiliations.all(found.room).map(readAffiliation);
      const avatarHashes = found.avatarHashes === null ? [] : (JSON.parse(found.avatarHashes) as string[]);
      return { record: { ...found, avatarHashes, affiliations: listed, ...occupantsOf(found.room) } };
    }
    const left = tombstone.get(address, nowMs);
    return { tombstone: left && readTombstone(left) };
  };
}

function readAffiliation({ nick, nickKey, reason, ...row }: AffiliationRow) {
  return {
    ...row,
    ...(nick !== null && { nick }),
    ...(nickKey !== null && { nickKey }),
    ...(reason !== null && { reason }),
  };
}

function readTombstone({ untilMs, alternative, reason, owners }: TombstoneRow): RoomTombstone {
  return {
    untilMs,
    owners: JSON.parse(owners) as string[],
    ...(alternative !== null && { alternative }),
    ...(reason !== null && { reason }),
  };
}
