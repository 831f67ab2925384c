import type { ArchivedMessage, ArchiveLimits, ArchiveRange, ArchiveUsage } from './archive.ts';

/** How somebody belongs to a room, by bare JID or domain. */
export interface RoomAffiliation {
  readonly jid: string;
  readonly affiliation: string;
  /** The reserved nickname, and the key by which nicknames are compared. */
  readonly nick?: string | undefined;
  readonly nickKey?: string | undefined;
  /** Why the affiliation was given. */
  readonly reason?: string | undefined;
}

/** The subject of a room. */
interface RoomSubject {
  /** The message that has set it, as the occupants got it. */
  readonly message: Buffer;
  readonly atMs: number;
}

/** The vCard of a room. */
interface StoredVcard {
  readonly xml: string;
  /** The SHA-1 of each photo in it, in hexadecimal. */
  readonly avatarHashes: readonly string[];
}

/** A room that is created. */
export interface NewRoom {
  readonly address: string;
  readonly createdAtMs: number;
  /** The configuration, as JSON. */
  readonly config: string;
  /** The key of the ids of its occupants. */
  readonly occupantKey: Buffer;
  readonly affiliations: readonly RoomAffiliation[];
}

/** A room that comes from another server. Nobody sees it before its import ends. */
export interface RoomImport {
  readonly address: string;
  /** Everything but its messages, as JSON. */
  readonly content: string;
}

/** A client that is in a room. */
export interface StoredOccupant {
  /** Its full JID. */
  readonly jid: string;
  readonly nick: string;
  readonly role: string;
  /** Its presence as others see it, without addresses. */
  readonly presence: Buffer;
  /** The id of the last archived message that it has confirmed. */
  readonly seenId: number;
}

/** A change of the clients in a room: one has come or has another presence, has confirmed messages, or has left a nickname. */
export type OccupantChange =
  | { readonly kind: 'present'; readonly occupant: StoredOccupant }
  | { readonly kind: 'seen'; readonly jid: string; readonly seenId: number }
  | { readonly kind: 'left'; readonly jid: string; readonly nick: string };

/** A room as it is loaded. */
export interface RoomRecord extends NewRoom {
  /** Its number, which no other room has had. */
  readonly room: number;
  readonly subject?: RoomSubject | undefined;
  /** See {@link StoredVcard}; empty without a vCard. */
  readonly avatarHashes: readonly string[];
  /** The clients in it, in the order of their last presence. */
  readonly occupants: readonly StoredOccupant[];
  /** The nicknames that somebody has left in the last minutes. */
  readonly departed: readonly string[];
}

/** The rest of a destroyed room: only its owners may create it again before a moment. */
export interface RoomTombstone {
  readonly untilMs: number;
  /** The room to which its occupants should go. */
  readonly alternative?: string | undefined;
  readonly reason?: string | undefined;
  /** The bare JIDs of its last owners, who may create it again. */
  readonly owners: readonly string[];
}

/** The result of a look at the address of a room. */
export interface StoredRoom {
  readonly record?: RoomRecord | undefined;
  /** Absent if there was none or its time is over. */
  readonly tombstone?: RoomTombstone | undefined;
}

/** One of the changes of a room that become durable together. */
export type StoredRoomChange =
  | { readonly kind: 'config'; readonly config: string; readonly listing: RoomListing }
  | { readonly kind: 'affiliation'; readonly entry: RoomAffiliation }
  | { readonly kind: 'affiliation-removed'; readonly jid: string }
  | { readonly kind: 'subject'; readonly subject: RoomSubject }
  /** Undefined removes it. */
  | { readonly kind: 'vcard'; readonly vcard: StoredVcard | undefined }
  /** A message has other content, for example because a moderator has taken it back. */
  | { readonly kind: 'message-replaced'; readonly id: number; readonly bytes: Buffer };

/** The parts of the configuration that lists need. */
export interface RoomListing {
  readonly name: string;
  readonly isPublic: boolean;
}

/** A message in the archive of a room, as the occupants got it, without 'to'. */
export interface RoomMessage extends ArchivedMessage {
  /** The full JID of the author. */
  readonly author: string;
  readonly occupantId: string;
}

/** A message of a room for its archive. Its id is from {@link RoomStore.newMessageId}. */
export interface NewRoomMessage extends RoomMessage {
  readonly room: number;
}

/** Which messages of a room are meant; `peer` is not looked at. */
export type RoomRange = Pick<ArchiveRange, 'afterId' | 'beforeId'>;

/** A public room in a list. */
export interface ListedRoom {
  readonly address: string;
  readonly name: string;
}

/** A public room with its configuration, as JSON. */
export interface PublicRoom {
  readonly address: string;
  readonly config: string;
}

/** A room in the list of the operator. */
export interface RoomSummary extends ListedRoom {
  readonly isPublic: boolean;
  /** How many messages its archive has. */
  readonly messages: number;
}

/**
 * Rooms, their affiliations and their messages. Changes of a room that does not exist reject with `not-found`. `createdAtMs`, `atMs` and
 * `untilMs` are milliseconds since 1970.
 */
export interface RoomStore {
  open(address: string): Promise<StoredRoom>;
  /** Resolves with the number of the room. Rejects with `conflict` if the address has a room. Removes a tombstone. */
  create(room: NewRoom, listing: RoomListing): Promise<number>;
  /**
   * Begins an import, and resolves with the number that the room will have: its messages can be appended. The import takes the place of one to
   * the same address that has not ended. Rejects with `conflict` if the address has a room. {@link tidy} gives it up after a week.
   */
  beginImport(room: RoomImport): Promise<number>;
  /** The import that will make the room with this number; undefined if it has ended or was given up. */
  findImport(room: number): Promise<RoomImport | undefined>;
  /**
   * Creates the room of an import with these changes; it has the messages that were appended. Rejects with `not-found` if there is no such
   * import, and with `conflict` if the address has a room by now.
   */
  endImport(number: number, room: NewRoom, listing: RoomListing, changes: readonly StoredRoomChange[]): Promise<void>;
  /** The vCard of a room; undefined if it has none. */
  vcard(room: number): Promise<string | undefined>;
  /** Makes all changes, or none. */
  change(room: number, changes: readonly StoredRoomChange[]): Promise<void>;
  /** Removes the room with all that belongs to it; its messages little by little, see {@link tidy}. */
  destroy(room: number, tombstone: RoomTombstone | undefined): Promise<void>;
  /** An id larger than all before. Ids are moments, see `OrderedIds`. */
  newMessageId(): number;
  /**
   * Adds a message, which must have the largest id of its room so far. Those of one turn have one promise and become durable together. A message of
   * a room that is gone is dropped.
   */
  append(message: NewRoomMessage): Promise<void>;
  /** Unused ids at these moments, in the order of the moments, which must increase. For messages that come from another server. */
  idsAt(timesMs: readonly number[]): Promise<number[]>;
  /** The first messages of a range, or the last ones, in the order of their ids. */
  page(room: number, range: RoomRange, limit: number, which: 'first' | 'last'): Promise<RoomMessage[]>;
  /** Those of the given messages that the room has. */
  find(room: number, ids: readonly number[]): Promise<RoomMessage[]>;
  /** How many messages are in a range; `most` if there are more. */
  count(room: number, range: RoomRange, most: number): Promise<number>;
  /** The ids of the first and the last message. */
  bounds(room: number): Promise<readonly [first: number, last: number] | undefined>;
  /** Measures the archives of all rooms together, in steps. */
  usage(): Promise<ArchiveUsage>;
  /** Removes the messages before an id, a few at a time; resolves with their number. It may end when it has removed `atLeast`. */
  purge(room: number, beforeId: number, atLeast?: number): Promise<number>;
  /** Removes some messages that exceed the limits, or that destroyed rooms and old imports have left; true if there are more. */
  tidy(limits: Pick<ArchiveLimits, 'removeBeforeId' | 'maxMessages'>): Promise<boolean>;
  /** The public rooms of a domain in the order of their addresses, after an address. */
  publicRooms(domain: string, after: string, limit: number): Promise<ListedRoom[]>;
  /** The same rooms with their configurations. */
  publicConfigs(domain: string, after: string, limit: number): Promise<PublicRoom[]>;
  /** All rooms in the order of their addresses, after an address. */
  list(after: string, limit: number): Promise<RoomSummary[]>;
  countPublicRooms(domain: string): Promise<number>;
  /** How many rooms there are, and how many of them a bare JID owns. */
  countRooms(owner: string): Promise<{ readonly all: number; readonly owned: number }>;
  /**
   * Changes the clients in a room. The changes of one turn have one promise and become durable together. Those of a room that is gone are
   * dropped.
   */
  changeOccupant(room: number, change: OccupantChange): Promise<void>;
  /** The addresses of rooms with clients, and of temporary rooms, in their order, after an address. */
  occupied(after: string, limit: number): Promise<string[]>;
  /** A new run of the server has begun; true if the last one has ended with {@link end}. */
  begin(): Promise<boolean>;
  /** The server stops in an orderly way: everything is written. */
  end(): Promise<void>;
  /** Removes the affiliations of a bare JID in all rooms, and resolves with the addresses of these rooms. */
  forget(jid: string): Promise<string[]>;
}
