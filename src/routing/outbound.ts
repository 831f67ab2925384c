import type { Stanza } from '../protocol/stanza.ts';
import type { StanzaError } from '../protocol/stanza-error.ts';
import type { AckScope } from './ack-scope.ts';
import type { MaybePromise } from './maybe-promise.ts';

/** The server that is about to get a stanza. */
export interface NextHop {
  readonly domain: string;
  /** Whether its stream features contained this element. */
  offers(name: string, namespace: string): boolean;
  /** The features in its service discovery (XEP-0030 §3), cached for a while. Rejects if it does not answer. */
  features(): Promise<ReadonlySet<string>>;
}

/** What happens before a stanza leaves the server, when it has left, and if it never will. */
export interface Handoff {
  /** The acknowledgment waits until a copy of the stanza is durable. */
  readonly ackScope?: AckScope | undefined;
  /**
   * Called before a stanza is written that has had to wait. Returns the stanza to write, or nothing if it has come to its end; throws
   * the StanzaError with which it ends. Stanzas behind it wait (RFC 6120 §10.1). `hop` is the next server, for another server.
   */
  leaving?(hop?: NextHop): MaybePromise<Stanza | undefined>;
  /** The stanza was written. */
  left?(): void;
  /** The stanza will never leave. The promise settles when everything that this causes is durable. */
  failed(error: StanzaError): MaybePromise<void>;
}

/** Carries stanzas out of the server. Those from one domain to another keep their order. */
export interface Outbound {
  /** Takes a stanza that has both addresses. Throws a StanzaError if it does not try to send it. */
  send(stanza: Stanza, handoff: Handoff): void;
}
