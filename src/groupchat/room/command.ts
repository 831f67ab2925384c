import type { FieldValues } from '../../protocol/form-values.ts';
import type { Jid } from '../../protocol/jid.ts';
import type { AdminChange, AdminList } from '../../protocol/muc/admin-items.ts';
import type { Declination, Invitation } from '../../protocol/muc/invitation.ts';
import type { HistoryLimits } from '../../protocol/muc/join-request.ts';
import type { RoomConfig } from '../../protocol/muc/room-config.ts';
import type { RoomVcard } from '../../protocol/muc/room-vcard.ts';
import type { Destruction } from '../../protocol/muc/user-element.ts';
import type { Affiliation } from '../../protocol/muc/vocabulary.ts';
import type { VoiceAnswer } from '../../protocol/muc/voice-request.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { StanzaError } from '../../protocol/stanza-error.ts';
import type { HistoryEntry } from './state.ts';

/** The common part of the commands of clients. */
interface ClientCommand {
  /** The full JID of the client. */
  readonly from: Jid;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** What only the owner of an address can say about a new room. */
export interface Creation {
  /** The key of the ids of its occupants: random bytes. */
  readonly occupantKey: Buffer;
  /** Why the user may not create a room. */
  readonly refusal?: StanzaError | undefined;
}

/** Enters the room, or creates it (XEP-0045 §7.2, §10.1). */
export interface Enter extends ClientCommand {
  readonly kind: 'enter';
  readonly nick: string;
  readonly presence: Stanza;
  readonly password: string | undefined;
  readonly history: HistoryLimits;
  readonly creation: Creation;
}

/** Available presence of a client that does not ask to enter: a change of presence or of nickname (XEP-0045 §7.6, §7.7). */
export interface ShowPresence extends ClientCommand {
  readonly kind: 'show-presence';
  readonly nick: string;
  readonly presence: Stanza;
}

/** XEP-0045 §7.14. */
export interface Leave extends ClientCommand {
  readonly kind: 'leave';
  readonly presence: Stanza;
}

/** The number of a new message in the archive, and the id that stands for it. */
interface ArchivePlace {
  readonly number: number;
  readonly id: string;
}

/** A message of the archive that somebody wants to take back. */
export interface ArchivedTarget {
  readonly number: number;
  readonly message: Stanza;
  /** The full JID. */
  readonly author: Jid;
  readonly occupantId: string;
}

/** A message to all occupants, or a new subject (XEP-0045 §7.4, §8.1). */
export interface Post extends ClientCommand {
  readonly kind: 'post';
  /** It has an id. */
  readonly message: Stanza;
  readonly archive: ArchivePlace;
  /** The message that it takes back, if the archive has it (XEP-0424 §3). */
  readonly target?: ArchivedTarget | undefined;
}

/** A request with an iq, which the room answers. */
interface Request extends ClientCommand {
  readonly request: Stanza;
}

/** Asks for the configuration form (XEP-0045 §10.1.3, §10.2). */
export interface ReadConfig extends Request {
  readonly kind: 'read-config';
}

/** Submits or cancels the configuration form (XEP-0045 §10.1, §10.2). */
export interface Configure extends Request {
  readonly kind: 'configure';
  /** The values of the form; undefined if the owner cancels it. */
  readonly values: FieldValues | undefined;
}

/** Asks for lists of users (XEP-0045 §8.5, §9). */
export interface ReadLists extends Request {
  readonly kind: 'read-lists';
  readonly lists: readonly AdminList[];
}

/** Changes roles and affiliations (XEP-0045 §8, §9, §10). */
export interface Administer extends Request {
  readonly kind: 'administer';
  readonly items: readonly AdminChange[];
}

/** Takes back the message of somebody (XEP-0425 §4). */
export interface Moderate extends Request {
  readonly kind: 'moderate';
  readonly messageId: string;
  readonly reason: string | undefined;
  /** Undefined if the archive does not have it. */
  readonly target: ArchivedTarget | undefined;
  /** The place of the announcement. */
  readonly archive: ArchivePlace;
}

/** Changes the vCard of the room (XEP-0486 §4.2). */
export interface SetVcard extends Request {
  readonly kind: 'set-vcard';
  /** Undefined removes it. */
  readonly vcard: RoomVcard | undefined;
}

/** XEP-0045 §10.9. */
export interface Destroy extends Request {
  readonly kind: 'destroy';
  readonly destruction: Destruction;
}

/** A private message to an occupant (XEP-0045 §7.5). */
export interface SendPrivately extends ClientCommand {
  readonly kind: 'send-privately';
  readonly nick: string;
  readonly message: Stanza;
}

/** A request to an occupant (XEP-0045 §17.4). */
export interface Ask extends Request {
  readonly kind: 'ask';
  readonly nick: string;
  /** The id under which the room passes the request on. */
  readonly id: string;
}

/** The answer to a request that the room has passed on. */
export interface Reply extends ClientCommand {
  readonly kind: 'reply';
  readonly answered: Stanza;
}

/** The time for an answer is over. */
export interface ExpireRequest {
  readonly kind: 'expire-request';
  readonly nowMs: number;
  readonly id: string;
}

/** XEP-0045 §7.8.2. */
export interface Invite extends ClientCommand {
  readonly kind: 'invite';
  readonly invitations: readonly Invitation[];
}

/** XEP-0045 §7.8.2. */
export interface Decline extends ClientCommand {
  readonly kind: 'decline';
  readonly declination: Declination;
}

/** XEP-0045 §7.13. */
export interface RequestVoice extends ClientCommand {
  readonly kind: 'request-voice';
}

/** XEP-0045 §8.6. */
export interface AnswerVoice extends ClientCommand {
  readonly kind: 'answer-voice';
  readonly voice: VoiceAnswer;
}

/** Asks for the form of registration (XEP-0045 §7.10). */
export interface ReadRegistration extends Request {
  readonly kind: 'read-registration';
}

/** XEP-0045 §7.10. */
export interface Register extends Request {
  readonly kind: 'register';
  /** The nickname, or the end of the registration. */
  readonly wanted: string | 'remove';
}

/** A client asks how an occupant shows itself (RFC 6121 §4.3). */
export interface Probe extends ClientCommand {
  readonly kind: 'probe';
  readonly nick: string;
}

/** A client of an occupant cannot be reached: a stanza to it came back as an error (XEP-0045 §18.1.2). */
export interface ReportFailure extends ClientCommand {
  readonly kind: 'report-failure';
  /** The id of the stanza that came back. */
  readonly id: string | undefined;
  readonly error: StanzaError;
}

/** Stanzas to several clients have come back in one turn: another server cannot be reached. */
interface ReportFailures {
  readonly kind: 'report-failures';
  readonly nowMs: number;
  readonly failures: readonly ReportFailure[];
}

/** The time in which the creator could configure the new room is over. */
interface Unlock {
  readonly kind: 'unlock';
  readonly nowMs: number;
}

/** Nobody is in the room any more. */
export interface EndIfOver {
  readonly kind: 'end-if-over';
  readonly nowMs: number;
}

/** The operator, or the removal of an account, changes an affiliation, whatever the rights in the room are. */
interface SetAffiliation {
  readonly kind: 'set-affiliation';
  readonly nowMs: number;
  /** A bare JID or a domain. */
  readonly user: Jid;
  readonly affiliation: Affiliation;
}

/** The operator destroys the room. */
interface Remove {
  readonly kind: 'remove';
  readonly nowMs: number;
  readonly destruction: Destruction;
}

/** The operator creates a room. */
export interface CreateRoom {
  readonly kind: 'create';
  readonly nowMs: number;
  /** A bare JID. */
  readonly owner: Jid | undefined;
  readonly config: RoomConfig;
  /** The key of the ids of its occupants: random bytes. */
  readonly occupantKey: Buffer;
}

/** The operator changes the configuration. */
export interface Reconfigure {
  readonly kind: 'reconfigure';
  readonly nowMs: number;
  readonly config: RoomConfig;
}

/** The operator removes occupants. */
export interface Eject {
  readonly kind: 'eject';
  readonly nowMs: number;
  readonly nicks: readonly string[];
  readonly reason: string | undefined;
}

/** The operator has removed old messages from the archive. */
export interface ForgetHistory {
  readonly kind: 'forget-history';
  readonly nowMs: number;
  readonly beforeNumber: number;
}

/** A message could not be stored, so nobody gets it. */
interface ForgetMessage {
  readonly kind: 'forget-message';
  readonly nowMs: number;
  readonly number: number;
}

/** The room was loaded with its occupants of an earlier run of the server. */
export interface Recover {
  readonly kind: 'recover';
  readonly nowMs: number;
  /** The full JIDs that cannot come back. */
  readonly lost: readonly Jid[];
  /** Archived messages, in order, and the clients that have not confirmed them. */
  readonly missed: readonly { readonly entry: HistoryEntry; readonly to: readonly Jid[] }[];
}

/** A client has resumed a session of an earlier run, in which it was in the room. */
export interface Resync {
  readonly kind: 'resync';
  readonly nowMs: number;
  readonly from: Jid;
  readonly nick: string;
  /** Presence may be lost. */
  readonly afterCrash: boolean;
  /** The nicknames that somebody has left shortly before. */
  readonly departed: readonly string[];
}

/** A command of an operator, without its time. */
export type OperatorCommand = WithoutTime<SetAffiliation | Remove | CreateRoom | Reconfigure | Eject | ForgetHistory>;

type WithoutTime<Command> = Command extends unknown ? Omit<Command, 'nowMs'> : never;

/** Commands that do not come from clients. */
export type UnaskedCommand =
  | Recover
  | Resync
  | ExpireRequest
  | SetAffiliation
  | Remove
  | Unlock
  | EndIfOver
  | ForgetMessage
  | ReportFailures
  | CreateRoom
  | Reconfigure
  | Eject
  | ForgetHistory;

/** Everything that can happen to a room. */
export type RoomCommand =
  | Enter
  | ShowPresence
  | Leave
  | Post
  | ReadConfig
  | Configure
  | SetVcard
  | Destroy
  | Moderate
  | ReadLists
  | Administer
  | SendPrivately
  | Ask
  | Reply
  | Invite
  | Decline
  | RequestVoice
  | AnswerVoice
  | ReadRegistration
  | Register
  | Probe
  | ReportFailure
  | UnaskedCommand;
