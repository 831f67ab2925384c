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

/** What is to happen to a stanza that leaves the server, besides being sent. */
export interface Handoff {
  /** The acknowledgment waits until a copy of the stanza is durable. */
  readonly ackScope?: AckScope | undefined;
  /**
   * It has had to wait and could be written now: answers what is to be written, or throws the StanzaError with which the stanza ends,
   * or answers nothing if it has come to its end. What is behind it waits (RFC 6120 §10.1). `hop` is the other server, if it is one.
   */
  leaving?(hop?: NextHop): MaybePromise<Stanza | undefined>;
  /** It has been written. */
  left?(): void;
  /** It will never leave. Settled when all that this has caused is durable. */
  failed(error: StanzaError): MaybePromise<void>;
}

/** Carries stanzas out of the server, those to one domain from another in their order. */
export interface Outbound {
  /** Takes a stanza that has both addresses. Throws the StanzaError for one that is not even tried. */
  send(stanza: Stanza, departure: Handoff): void;
}
