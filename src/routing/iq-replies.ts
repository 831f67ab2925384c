import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { atClientPace } from './at-client-pace.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { Outbound } from './outbound.ts';
import type { Session } from './session.ts';

/** Dependencies of {@link IqReplies}. */
interface IqRepliesDeps {
  readonly findSession: (fullJid: Jid) => Session | undefined;
  readonly isLocalDomain: (domain: string) => boolean;
  /** Carries stanzas to a domain that is not local. */
  readonly outbound: (domain: string) => Outbound;
  readonly route: (stanza: Stanza) => MaybePromise<void>;
  /** Answers a stanza with an error. */
  readonly refuse: (stanza: Stanza, error: unknown) => MaybePromise<void>;
}

/** How many requests of one client may wait at the same time until it has read messages. */
const maxWaiting = 8;

/** Sends what an iq handler has for the requester: a client of this server, another server, or a service. */
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

  /** Answers a request with an error after its sender went on. */
  refuse(request: Stanza, error: unknown): MaybePromise<void> {
    return this.#deps.refuse(request, error);
  }

  /**
   * Sends messages of the server to the requester. They are not judged or recorded, and are not stored if they cannot be delivered.
   * Returns a promise if the client must first read some of them. Throws StanzaError if the requester cannot be reached, or if too
   * many requests of this client wait at the same time.
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
    if (waiting >= maxWaiting) throw StanzaError.resourceConstraint('too many unanswered requests');
    const sent = atClientPace(session, steps(messages, session), () => !session.ended);
    if (!(sent instanceof Promise)) return;
    this.#waiting.set(session, waiting + 1);
    return sent.finally(() => this.#waiting.set(session, (this.#waiting.get(session) ?? 1) - 1));
  }
}

function* steps(messages: Iterable<Stanza>, session: Session): Generator<void> {
  for (const message of messages) yield session.send(message);
}
