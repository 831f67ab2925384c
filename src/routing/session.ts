import { createHash } from 'node:crypto';
import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { StreamError } from '../protocol/stream-error.ts';
import type { Account } from './account.ts';
import type { AckScope } from './ack-scope.ts';
import type { Interests } from './interests.ts';
import { RecentAddresses } from './recent-addresses.ts';

/** One installation of a client, which names itself when it authenticates (XEP-0388 §2.3). Only its own account may learn of it. */
export interface Device {
  /** The same for each login of the device to the same account; shows nothing of the id that the client has sent. */
  readonly key: string;
  /** The name of the client, in its own words. */
  readonly software?: string | undefined;
  /** The name of the device, in its own words. */
  readonly name?: string | undefined;
}

/** Follows one stanza that was handed to a session. */
export interface Watch {
  /** The stanza was written, or never will be. */
  settled(delivered: boolean): void;
  /** Returns whether a stanza that had to wait may still be written. Anything sent in its place counts for `ackScope`. */
  mayLeave(ackScope: AckScope): boolean;
}

/** A message that an archive keeps for its recipients. A session without a connection needs no copy of it. */
export interface ArchivedForRecipients {
  /** A client has confirmed that it has the message, or has its own copy on the disk. */
  confirmed(client: Jid): void;
}

/** The presence of a session, and who has seen it. */
export interface SessionPresence {
  /** The last available presence that was broadcast; undefined before the initial presence and after an unavailable one. */
  available: Stanza | undefined;
  /** Priority of {@link available}, -128 to +127 (RFC 6121 §4.7.2.3). */
  priority: number;
  /** The `<status/>` of the last unavailable presence (XEP-0012 §3). */
  statusWhenLeaving: string;
  /** The addresses that got directed presence, and no unavailable presence since (RFC 6121 §4.6). */
  readonly directed: Map<string, Jid>;
  /** The addresses that may not see presence but got a message or a request. */
  readonly writtenTo: RecentAddresses;
}

/** The presence of a session that has sent nothing yet. */
export function noPresence(): SessionPresence {
  return {
    available: undefined,
    priority: 0,
    statusWhenLeaving: '',
    directed: new Map(),
    writtenTo: new RecentAddresses(),
  };
}

/** Decides which stanzas to an inactive client are sent now and which can wait (XEP-0352). */
export interface OutgoingFilter {
  /** Takes a stanza. Returns the stanzas to send now, in order; an empty array if it can wait. */
  admit(stanza: Stanza): readonly Stanza[];
  /** Returns all waiting stanzas, in order. */
  release(): readonly Stanza[];
}

/**
 * A bound resource: something a stanza can be sent to. Routing uses only this interface, so a session could also live in another
 * process.
 */
export interface Session extends AckScope {
  /** The full JID. */
  readonly jid: Jid;
  readonly account: Account;
  /** Absent if the client has not named it. */
  readonly device?: Device | undefined;
  readonly presence: SessionPresence;
  /** The news that the client has asked for. */
  readonly interests: Interests;
  filter: OutgoingFilter | undefined;
  /** Sends a stanza to the client, after all earlier stanzas. Watched stanzas bypass the outgoing filter. */
  send(stanza: Stanza, watch?: Watch): void;
  /** Like {@link send}. Resolves when the stanza is safe from a crash: its copy is durable, or the client has it. Never rejects. */
  sendDurably(stanza: Stanza, watch?: Watch): Promise<void>;
  /** Like {@link send}, for a message that need not be kept: `archived` is told when the client has confirmed it. */
  sendArchived(stanza: Stanza, archived: ArchivedForRecipients): void;
  /** Sends a message past a {@link hold} and the filter. The message stays stored elsewhere until it is {@link received}. */
  sendStored(stanza: Stanza): void;
  /** Resolves with true when the client has acknowledged everything sent so far, or false if the session ends. Undefined without acks. */
  received(): Promise<boolean> | undefined;
  /** Holds stanzas of {@link send} back until {@link release} was called as often, so that stored messages can go first. */
  hold(): void;
  /** Sends a stanza past a {@link hold}. */
  sendHeld(stanza: Stanza): void;
  release(): void;
  /** Whether stanzas that are not urgent should wait until the session is {@link flushed}. */
  readonly crowded: boolean;
  /** Resolves when most of what was sent is on the network, and enough of it acknowledged; or when the session has ended. */
  flushed(): Promise<void>;
  /** Ends the session and its stream with a stream error. */
  close(error: StreamError): void;
  readonly ended: boolean;
  /** Whether its connection is lost and its client can come back (XEP-0198 §5), or was when the session ended. */
  readonly detached: boolean;
}

/** The key of the device of a session. A session on a device without a name counts as a device of its own. */
export function deviceKeyOf({ device, jid }: Pick<Session, 'device' | 'jid'>): string {
  return device?.key ?? createHash('sha256').update(jid.toString()).digest('base64url').slice(0, 22);
}
