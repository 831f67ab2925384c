import type { Jid } from '../../protocol/jid.ts';
import type { OccupantRole, RoomConfig } from '../../protocol/muc/room-config.ts';
import type { RoomVcard } from '../../protocol/muc/room-vcard.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { RoomTombstone } from '../../storage/rooms.ts';
import type { Occupant } from './occupants.ts';
import type { Affiliated, CurrentSubject, HistoryEntry, OpenRequest } from './state.ts';

/** One change of the state of a room. `applied` makes it; `storedChanges` gives the part that must survive a restart. */
export type RoomChange =
  | {
      readonly kind: 'created';
      /** A bare JID; absent if the operator creates a room without an owner. */
      readonly owner?: Jid | undefined;
      /** The full JID whose configuration the new room awaits. */
      readonly lockedFor?: Jid | undefined;
      readonly config: RoomConfig;
      readonly occupantKey: Buffer;
      readonly atMs: number;
    }
  | { readonly kind: 'unlocked' }
  /** An occupant has come, has changed, or (`undefined`) has gone from a nickname. */
  | { readonly kind: 'occupant'; readonly nickKey: string; readonly occupant: Occupant | undefined }
  /** Affiliations have changed; undefined is `none`. */
  | { readonly kind: 'affiliations'; readonly entries: ReadonlyMap<string, Affiliated | undefined> }
  /** Somebody has given a user a role, which it has again when it comes back until then. */
  | { readonly kind: 'role-given'; readonly user: Jid; readonly role: OccupantRole; readonly untilMs: number }
  | { readonly kind: 'sent-privately'; readonly id: string; readonly from: Jid; readonly nick: string }
  /** A request was passed on, or (`undefined`) has its answer. */
  | { readonly kind: 'request'; readonly id: string; readonly request: OpenRequest | undefined }
  /** Both are bare JIDs. 0 ends the invitation. */
  | { readonly kind: 'invited'; readonly invitee: Jid; readonly inviter: Jid; readonly untilMs: number }
  | { readonly kind: 'voice-requested'; readonly user: Jid; readonly atMs: number }
  | { readonly kind: 'configured'; readonly config: RoomConfig }
  /** Undefined: the room has no vCard any more. */
  | { readonly kind: 'vcard'; readonly vcard: RoomVcard | undefined }
  | { readonly kind: 'subject'; readonly subject: CurrentSubject }
  /** A message was posted. `author` is a full JID. */
  | {
      readonly kind: 'posted';
      readonly entry: HistoryEntry;
      readonly author: Jid;
      readonly occupantId: string;
      /** Whether newcomers get it. */
      readonly inHistory: boolean;
    }
  /** A message has other content: it was taken back. */
  | { readonly kind: 'message-replaced'; readonly number: number; readonly message: Stanza }
  | { readonly kind: 'message-forgotten'; readonly number: number }
  | { readonly kind: 'destroyed'; readonly tombstone: RoomTombstone | undefined };

/** A stanza for some clients. All copies have the same content; only 'to' differs. */
export interface Announcement {
  /** Without 'to'. */
  readonly stanza: Stanza;
  readonly to: readonly Jid[];
  /** It is for one user: its archive keeps it, and it is stored if the user is absent. */
  readonly isPersonal?: true;
  /** Only members without a client in the room, by bare JID, get it: their devices may want to know. */
  readonly isForAbsent?: true;
  /** The number of the posted message that it carries. It is not sent if that message could not be stored. */
  readonly posted?: number;
  /** The archive keeps that message for its recipients until they have confirmed it. */
  readonly isArchived?: boolean;
}

/** The decision about a command: changes, and the announcements that follow. The answer to a request is one of these, in its place. */
export interface Decision {
  readonly changes: readonly RoomChange[];
  readonly announcements: readonly Announcement[];
}

/** The decision to do nothing. */
export const nothing: Decision = { changes: [], announcements: [] };
