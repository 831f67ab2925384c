import type { Stanza } from '../protocol/stanza.ts';
import type { StanzaError } from '../protocol/stanza-error.ts';
import type { AckScope } from './ack-scope.ts';
import type { MaybePromise } from './maybe-promise.ts';

/** The server that a stanza is about to be given to. */
export interface NextHop {
  readonly domain: string;
  /** Whether its stream features held an element of this name. */
  offers(name: string, namespace: string): boolean;
  /** What its service discovery says it can do (XEP-0030 §3); kept for a while. Rejects if it does not say. */
  features(): Promise<ReadonlySet<string>>;
}

/** What the sender of a stanza wants to know and decide while the stanza leaves the server. */
export interface Handoff {
  /** The acknowledgment waits until a copy of the stanza is durable. */
  readonly ackScope?: AckScope | undefined;
  /**
   * Called before a stanza is written that has had to wait. Returns the stanza to write, or nothing if it has come to its end; throws
   * the StanzaError with which it ends. Stanzas behind it wait (RFC 6120 §10.1). `hop` is the next server, for another server.
   */
  leaving?(hop?: NextHop): MaybePromise<Stanza | undefined>;
  /** It has been written. */
  left?(): void;
  /** It will never leave. Settled when all that this has caused is durable. */
  failed(error: StanzaError): MaybePromise<void>;
}

/** Carries stanzas out of the server. Those from one domain to another keep their order. */
export interface Outbound {
  /** Takes a stanza that has both addresses. Throws a StanzaError if it does not try to send it. */
  send(stanza: Stanza, handoff: Handoff): void;
}
