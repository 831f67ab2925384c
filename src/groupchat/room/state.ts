import type { Jid } from '../../protocol/jid.ts';
import type { OccupantRole, RoomConfig } from '../../protocol/muc/room-config.ts';
import type { Affiliation } from '../../protocol/muc/vocabulary.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { RoomTombstone } from '../../storage/rooms.ts';
import { Occupants } from './occupants.ts';
import type { RightsPolicy, RoomStanding } from './rights.ts';

/** How somebody belongs to a room. */
export interface Affiliated {
  readonly affiliation: Affiliation;
  /** The reserved nickname. */
  readonly nick?: string | undefined;
  readonly reason?: string | undefined;
}

/** A role that a user has again when it comes back. */
interface GivenRole {
  readonly role: OccupantRole;
  readonly untilMs: number;
}

/** A private message that an error may still answer. */
interface SentPrivately {
  readonly id: string;
  /** The full JID of its author. */
  readonly from: Jid;
  /** The nickname of the occupant that got it. */
  readonly nick: string;
}

/** A request to an occupant that has no answer yet. */
export interface OpenRequest {
  /** The request without its content. */
  readonly request: Stanza;
  /** The address that may answer. */
  readonly asked: Jid;
}

interface OpenInvitation {
  /** A bare JID. */
  readonly inviter: Jid;
  readonly untilMs: number;
}

/** The subject of a room. */
export interface CurrentSubject {
  /** The message that has set it, as the occupants got it, without 'to'. */
  readonly message: Stanza;
  readonly atMs: number;
}

/** A message that newcomers get. */
export interface HistoryEntry {
  /** Its number in the archive, from `RoomStore.newMessageId`. */
  readonly number: number;
  /** As the occupants got it, without 'to'. */
  readonly message: Stanza;
  readonly atMs: number;
  /** Whether the archive keeps it. */
  readonly isArchived: boolean;
}

/** An address at which there is no room. */
export interface AbsentRoom {
  readonly kind: 'absent';
  readonly address: Jid;
  /** What is left of the room that was here. */
  readonly tombstone?: RoomTombstone | undefined;
}

/** A room that exists. Plain immutable data: only `applied` makes the next state. */
export interface ExistingRoom {
  readonly kind: 'existing';
  readonly address: Jid;
  readonly config: RoomConfig;
  /** By bare JID or domain. */
  readonly affiliations: ReadonlyMap<string, Affiliated>;
  /** The keys of reserved nicknames, and the bare JIDs for which they are reserved. */
  readonly reservedNicks: ReadonlyMap<string, string>;
  readonly occupants: Occupants;
  /** The roles that somebody has given, by bare JID. */
  readonly givenRoles: ReadonlyMap<string, GivenRole>;
  /** The last private messages. */
  readonly privateMessages: readonly SentPrivately[];
  /** By the id under which the room has passed them on. */
  readonly requests: ReadonlyMap<string, OpenRequest>;
  /** By the bare JID of the invitee. */
  readonly invitations: ReadonlyMap<string, OpenInvitation>;
  /** When a user asked for voice last, by bare JID. */
  readonly voiceRequests: ReadonlyMap<string, number>;
  /** The SHA-1 of each photo in its vCard (XEP-0486). The vCard itself is in the store. */
  readonly avatarHashes: readonly string[];
  readonly subject: CurrentSubject | undefined;
  /** The last messages, oldest first. */
  readonly history: readonly HistoryEntry[];
  /** The key of the ids of occupants (XEP-0421). */
  readonly occupantKey: Buffer;
  /** The full JID whose configuration the room awaits before anybody else may enter (XEP-0045 §10.1). */
  readonly lockedFor: Jid | undefined;
}

/** The state of a room, or of an address without a room. */
export type RoomState = AbsentRoom | ExistingRoom;

/** How a user belongs to a room: by itself, or else by its domain. */
export function affiliationOf({ affiliations }: ExistingRoom, user: Jid): Affiliation {
  const bare = user.bare().toString();
  return (affiliations.get(bare) ?? affiliations.get(user.domain))?.affiliation ?? 'none';
}

/** The role and the affiliation of a client; outside the room the role is `none`. */
export function standingOf(room: ExistingRoom, fullJid: Jid): RoomStanding {
  return { role: room.occupants.with(fullJid)?.role ?? 'none', affiliation: affiliationOf(room, fullJid) };
}

/** The options of the room on which rights depend. */
export function rightsPolicyOf({ config }: ExistingRoom): RightsPolicy {
  return config;
}

/** The room, which exists. Throws an Error otherwise. */
export function existing(room: RoomState): ExistingRoom {
  if (room.kind === 'absent') throw new Error(`${room.address} does not exist`);
  return room;
}

/** The parts of the state that are not stored, for a room that nobody is in. */
export const nobodyInside = {
  occupants: Occupants.none,
  givenRoles: new Map(),
  privateMessages: [],
  requests: new Map(),
  invitations: new Map(),
  voiceRequests: new Map(),
  lockedFor: undefined,
} satisfies Partial<ExistingRoom>;
