import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { atClientPace } from './at-client-pace.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { Outbound } from './outbound.ts';
import type { Session } from './session.ts';

/** Dependencies of the replies. */
interface IqRepliesDeps {
  readonly findSession: (fullJid: Jid) => Session | undefined;
  readonly isLocalDomain: (domain: string) => boolean;
  /** Carries stanzas to a domain that is not local. */
  readonly outbound: (domain: string) => Outbound;
  readonly route: (stanza: Stanza) => MaybePromise<void>;
  /** Answers a stanza with an error. */
  readonly refuse: (stanza: Stanza, error: unknown) => MaybePromise<void>;
}

/** Requests of one client whose messages may wait for it at the same time. */
const maxWaiting = 8;

/** The ways by which an iq handler answers a requester: a client of ours, another server, or a service. */
export class IqReplies {
  readonly #deps: IqRepliesDeps;
  readonly #waiting = new WeakMap<Session, number>();

  constructor(deps: IqRepliesDeps) {
    this.#deps = deps;
  }

  /** Sends the result. */
  send(result: Stanza): MaybePromise<void> {
    return this.#deps.route(result);
  }

  /** Answers with an error a request whose sender does not wait for it any more. */
  refuse(request: Stanza, error: unknown): MaybePromise<void> {
    return this.#deps.refuse(request, error);
  }

  /**
   * Sends messages of the server to the requester. No extension judges or records them, and none is kept if it cannot be delivered.
   * Returns a promise if the client must first take some of them. Throws StanzaError if the requester cannot be reached, or if too
   * many requests of this client wait in this way.
   */
  sendMessages(messages: Iterable<Stanza>, requester: Jid): MaybePromise<void> {
    const { findSession, isLocalDomain, outbound } = this.#deps;
    const session = findSession(requester);
    if (session) return this.#sendPaced(messages, session);
    if (isLocalDomain(requester.domain)) return;
    const destination = outbound(requester.domain);
    for (const message of messages) destination.send(message, { failed: () => undefined });
  }

  #sendPaced(messages: Iterable<Stanza>, session: Session): MaybePromise<void> {
    const waiting = this.#waiting.get(session) ?? 0;
    if (waiting >= maxWaiting) throw StanzaError.resourceConstraint('too many requests wait for their answers');
    const sent = atClientPace(session, steps(messages, session), () => !session.ended);
    if (!(sent instanceof Promise)) return;
    this.#waiting.set(session, waiting + 1);
    return sent.finally(() => this.#waiting.set(session, (this.#waiting.get(session) ?? 1) - 1));
  }
}

function* steps(messages: Iterable<Stanza>, session: Session): Generator<void> {
  for (const message of messages) yield session.send(message);
}
