import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { StreamError } from '../protocol/stream-error.ts';
import type { Account } from './account.ts';
import type { AckScope } from './ack-scope.ts';
import type { Interests } from './interests.ts';
import { RecentAddresses } from './recent-addresses.ts';

/** Follows a stanza until it has left for the client. */
export interface Watch {
  /** It has left, or never will. */
  settled(delivered: boolean): void;
  /** It has waited for the client, which is back: whether it is still sent. Anything sent in its place counts for `ackScope`. */
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

/** Decides what of the outgoing stream may leave now; put in place by client state indication. */
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
  /** Hands a stanza to the client, after all that were sent before. One whose fate is watched does not wait at a gate. */
  send(stanza: Stanza, watch?: Watch): void;
  /** The same; resolves when a crash of the server cannot take it away any more before the client has it. Never rejects. */
  sendDurably(stanza: Stanza, watch?: Watch): Promise<void>;
  /** Sends past a {@link hold} a message that stays stored elsewhere until it is {@link received}. */
  sendStored(stanza: Stanza): void;
  /** Resolves with true when the client has acknowledged all that was sent, with false if the session ends first; absent if it cannot. */
  received(): Promise<boolean> | undefined;
  /** Keeps what {@link send} is given until as many calls of {@link release}, so that stored messages can go first. */
  hold(): void;
  /** Sends past a {@link hold}. */
  sendHeld(stanza: Stanza): void;
  release(): void;
  /** Whether what is not urgent should wait until it is {@link flushed}. */
  readonly crowded: boolean;
  /** Resolves when what was sent has mostly left for the network, and the client has acknowledged enough, or the session has ended. */
  flushed(): Promise<void>;
  /** Ends the session and its stream with a stream error. */
  close(error: StreamError): void;
  readonly ended: boolean;
}
