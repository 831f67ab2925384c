import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { StreamError } from '../protocol/stream-error.ts';
import type { Account } from './account.ts';
import type { AckScope } from './ack-scope.ts';
import type { Interests } from './interests.ts';
import { RecentAddresses } from './recent-addresses.ts';

/** Learns what becomes of a stanza that was handed to a session. */
export interface Watch {
  /** The stanza has been written, or never will be. */
  settled(delivered: boolean): void;
  /** The stanza has waited: answers whether it may still be written. Anything sent in its place counts for `ackScope`. */
  mayLeave(ackScope: AckScope): boolean;
}

/** What a session has shown of itself, and to whom. */
export interface SessionPresence {
  /** The last presence broadcast without 'type'; absent until the initial presence and after an unavailable one. */
  available: Stanza | undefined;
  /** Priority of {@link available}, -128 to +127 (RFC 6121 §4.7.2.3). */
  priority: number;
  /** The text of the last unavailable presence's `<status/>` (XEP-0012 §3). */
  statusWhenLeaving: string;
  /** Bare or full JIDs that were sent directed presence and no unavailable one since (RFC 6121 §4.6). */
  readonly directed: Map<string, Jid>;
  /** Addresses that were sent a message or a request though they may not see presence. */
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

/** Decides which stanzas are sent now and which can wait; set by client state indication (XEP-0352). */
export interface OutgoingFilter {
  /** The stanzas to send now, in order, because `stanza` came: none while it can wait. */
  admit(stanza: Stanza): readonly Stanza[];
  /** Everything still held, in order. */
  release(): readonly Stanza[];
}

/**
 * A connected resource: something a stanza can be sent to.
 * Nothing on the road may assume that it lives in this process.
 */
export interface Session extends AckScope {
  /** The full JID. */
  readonly jid: Jid;
  readonly account: Account;
  readonly presence: SessionPresence;
  /** What the client has asked to be told about: pushes go only to sessions that asked. */
  readonly interests: Interests;
  filter: OutgoingFilter | undefined;
  /** Sends a stanza to the client, after all that were sent before. Watched stanzas bypass the outgoing filter. */
  send(stanza: Stanza, watch?: Watch): void;
  /** The same; resolves when a crash can no longer lose the stanza before the client has it. Never rejects. */
  sendDurably(stanza: Stanza, watch?: Watch): Promise<void>;
  /** Sends past a {@link hold} a message that stays stored elsewhere until it is {@link received}. */
  sendStored(stanza: Stanza): void;
  /** Resolves with true when the client has acknowledged all that was sent, with false if the session ends first; absent if it cannot. */
  received(): Promise<boolean> | undefined;
  /** Holds back what {@link send} is given until as many calls of {@link release}, so that stored messages can go first. */
  hold(): void;
  /** Sends past a {@link hold}. */
  sendHeld(stanza: Stanza): void;
  release(): void;
  /** Whether what is not urgent should wait until it is {@link flushed}. */
  readonly crowded: boolean;
  /** Resolves when most of what was sent is on the network and enough of it acknowledged, or when the session has ended. */
  flushed(): Promise<void>;
  /** Ends the session and its stream with a stream error. */
  close(error: StreamError): void;
  readonly ended: boolean;
}
