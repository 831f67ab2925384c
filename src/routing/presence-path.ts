import { Jid } from '../protocol/jid.ts';
import { contentOf, priorityOf } from '../protocol/presence.ts';
import { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from './account.ts';
import { atClientPace } from './at-client-pace.ts';
import type { Destination } from './destination.ts';
import { type MaybePromise, then } from './maybe-promise.ts';
import type { Outbound } from './outbound.ts';
import type { PresenceHooks } from './presence-hooks.ts';
import type { Session, SessionPresence } from './session.ts';
import type { StanzaFilters } from './stanza-filters.ts';
import { isSubscriptionType, type Subscriptions } from './subscriptions.ts';
import { maySeePresence } from './visibility.ts';

/** Dependencies of the presence path. */
interface PresencePathDeps {
  readonly sessionsOf: (account: string) => readonly Session[];
  readonly findSession: (fullJid: Jid) => Session | undefined;
  readonly filters: StanzaFilters;
  readonly subscriptions: Subscriptions;
  readonly hooks: PresenceHooks;
  /** Called when a session can take messages from now on. */
  readonly available: (session: Session) => void;
  readonly route: (stanza: Stanza) => MaybePromise<void>;
  /** Routes copies of one stanza. */
  readonly routeAll: (copies: readonly Stanza[]) => MaybePromise<void>;
  /** Carries stanzas to other servers. */
  readonly remotes: Outbound;
  /** Sends a stanza through an outbound. If it fails, the sender of the stanza gets an error. */
  readonly send: (outbound: Outbound, stanza: Stanza) => void;
  /** Turns any error into the one that the sender gets; logs an unexpected one. */
  readonly explain: (stanza: Stanza, error: unknown) => StanzaError;
  /** The number of entities to which one session may send directed presence. */
  readonly maxDirected: number;
}

/** The most bytes of content in a broadcast presence. One login probes every contact, and a probe brings the presence of all resources. */
const maxPresenceBytes = 32 * 1024;

/** Processes presence stanzas (RFC 6121 §3, §4). */
export class PresencePath {
  readonly #deps: PresencePathDeps;

  constructor(deps: PresencePathDeps) {
    this.#deps = deps;
  }

  /** Handles a client's presence stanza. Throws StanzaError for the client. */
  fromSession(stanza: Stanza, session: Session): MaybePromise<void> {
    if (isSubscriptionType(stanza.type))
      return this.#deps.subscriptions.fromOwner(stanza, stanza.type, session.account);
    if (stanza.to) return this.#direct(stanza, stanza.to, session);
    if (stanza.type === undefined) return this.#announce(stanza, session);
    if (stanza.type === 'unavailable') return this.#withdraw(stanza, session);
    throw StanzaError.badRequest(`a presence of type '${stanza.type}' needs a 'to'`);
  }

  /** Delivers a presence stanza to an address. */
  take(stanza: Stanza, from: Jid, to: Jid, destination: Destination): MaybePromise<void> {
    switch (destination.kind) {
      case 'remote':
        return this.#deps.send(this.#deps.remotes, stanza);
      case 'service':
        return this.#deps.send(destination.service, stanza);
      case 'server':
        return undefined;
      case 'account':
        return this.#toAccount(stanza, from, to, destination.account);
    }
  }

  /** Sends unavailable presence for an ended session to everybody who saw its presence (RFC 6121 §4.5.2, §4.6.3). */
  sessionEnded(session: Session): void {
    this.#withdraw(Stanza.presence({ from: session.jid, type: 'unavailable' }), session);
  }

  /** Broadcasts the presence of an available session again, because the account now adds something else to it. */
  announceAgain(session: Session): void {
    const { available } = session.presence;
    if (available) this.#broadcast(available, session);
  }

  /** Handles initial presence and its changes (RFC 6121 §4.2, §4.4). */
  #announce(stanza: Stanza, session: Session): void {
    const { presence } = session;
    const initial = !presence.available;
    if (stanza.payload.bytes.length > maxPresenceBytes)
      throw StanzaError.policyViolation('the presence is too large to broadcast');
    const couldTakeMessages = !initial && presence.priority >= 0;
    presence.priority = priorityOf(stanza);
    this.#broadcast(stanza, session);
    if (presence.available) this.#deps.hooks.announced(session, presence.available, initial);
    const introduced = initial ? this.#introduce(session, stanza) : undefined;
    // Last, because stored messages follow: stanzas to the session are held while those are sent.
    if (!couldTakeMessages) void then(introduced, () => this.#tellIfReady(session));
  }

  /** Sends available presence to everybody who may see it, and keeps it for later probes. */
  #broadcast(stanza: Stanza, { presence, account }: Session): void {
    const dressed = this.#deps.hooks.dress(stanza, account);
    presence.available = dressed;
    this.#toSubscribers(dressed, account);
    // After the subscribers: this may end the session, and subscribers must get its unavailable presence last.
    this.#toOwnSessions(dressed, account);
  }

  #tellIfReady(session: Session): void {
    const { available, priority } = session.presence;
    if (available && priority >= 0) this.#deps.available(session);
  }

  /** Sends a newly available session its introduction, at the pace of its client. The client's next stanza does not wait for that. */
  #introduce(session: Session, stanza: Stanza): MaybePromise<void> {
    const sent = atClientPace(session, this.#introduction(session));
    return sent instanceof Promise ? sent.catch((error) => void this.#deps.explain(stanza, error)) : undefined;
  }

  /**
   * Presence of the account's other resources, probes to contacts, and subscription requests that wait for an answer.
   * Unanswered requests of the account itself are sent again.
   */
  *#introduction(session: Session): Generator<void> {
    const { account } = session;
    for (const other of this.#deps.sessionsOf(account.key)) {
      if (other !== session && other.presence.available)
        yield session.send(other.presence.available.with({ to: session.jid }));
    }
    for (const item of [...account.roster.all()]) {
      if (item.subscription === 'to' || item.subscription === 'both') yield this.#probe(session, item.contact);
    }
    yield* this.#deps.subscriptions.pendingRequests(session);
    this.#deps.subscriptions.repeatRequests(account);
  }

  #probe(session: Session, contact: string): void {
    const probe = Stanza.presence({ from: session.jid, to: Jid.parse(contact), type: 'probe' });
    if (this.#deps.filters.passesOutbound(probe, session.account)) void this.#deps.route(probe);
  }

  #withdraw(stanza: Stanza, session: Session): void {
    const { presence, account } = session;
    const wasAvailable = presence.available !== undefined;
    if (wasAvailable) {
      presence.available = undefined;
      presence.statusWhenLeaving = contentOf(stanza, 'status');
      this.#toOwnSessions(stanza, account);
      if (!session.ended) session.send(stanza.with({ to: session.jid }));
      this.#toSubscribers(stanza, account);
      this.#deps.hooks.withdrawn(session, stanza);
    }
    const directed = [...presence.directed.values()];
    presence.directed.clear();
    // RFC 6121 §4.6.3: subscribers already got the broadcast, if there was one.
    const untold = directed.filter((to) => !wasAvailable || !account.roster.isSubscriber(to));
    const copies = untold.map((to) => stanza.with({ to }));
    void this.#deps.routeAll(copies.filter((copy) => this.#deps.filters.passesOutbound(copy, account)));
    this.#deps.hooks.directedEnded(session, directed);
  }

  #toOwnSessions(stanza: Stanza, account: Account): void {
    for (const other of this.#deps.sessionsOf(account.key)) {
      if (other.presence.available) other.send(stanza.with({ to: other.jid }));
    }
  }

  #toSubscribers(stanza: Stanza, account: Account): void {
    const copies: Stanza[] = [];
    for (const { subscription, contact } of account.roster.all()) {
      if (subscription !== 'from' && subscription !== 'both') continue;
      const copy = stanza.with({ to: Jid.parse(contact) });
      if (this.#deps.filters.passesOutbound(copy, account)) copies.push(copy);
    }
    void this.#deps.routeAll(copies);
  }

  /** Sends directed presence (RFC 6121 §4.6), and remembers the address to send unavailable presence later. */
  #direct(stanza: Stanza, to: Jid, session: Session): MaybePromise<void> {
    const { account, presence } = session;
    this.#deps.filters.checkOutbound(stanza, account);
    if (stanza.type === undefined) {
      this.#rememberDirected(to, presence);
      return this.#deps.route(this.#deps.hooks.dress(stanza, account));
    }
    const routed = this.#deps.route(stanza);
    if (stanza.type === 'unavailable') {
      presence.writtenTo.delete(to);
      if (presence.directed.delete(to.toString())) this.#deps.hooks.directedEnded(session, [to]);
    }
    return routed;
  }

  #rememberDirected(to: Jid, { directed }: SessionPresence): void {
    if (!directed.has(to.toString()) && directed.size >= this.#deps.maxDirected) {
      throw StanzaError.resourceConstraint('directed presence to too many addresses');
    }
    directed.set(to.toString(), to);
  }

  #toAccount(stanza: Stanza, from: Jid, to: Jid, account: Account | undefined): MaybePromise<void> {
    if (stanza.type === 'probe') return this.#answerProbe(from, to, account);
    // RFC 6121 §8.5.1: a sender learns nothing about an address without an account.
    if (!account || this.#deps.filters.refusesInbound(stanza, account)) return undefined;
    if (isSubscriptionType(stanza.type)) return this.#deps.subscriptions.toOwner(stanza, stanza.type, from, account);
    this.#deliver(stanza, to, account);
    if (stanza.type !== 'error') this.#deps.hooks.arrived(stanza, from, account);
  }

  /** RFC 6121 §8.5.2.1.2, §8.5.3.1. */
  #deliver(stanza: Stanza, to: Jid, account: Account): void {
    if (!to.isBare) return this.#deps.findSession(to)?.send(stanza);
    if (stanza.type === 'error') return;
    for (const session of this.#deps.sessionsOf(account.key)) if (session.presence.available) session.send(stanza);
  }

  /** RFC 6121 §4.3.2: senders who may not see presence get the same answer for every account, and for an address without one. */
  #answerProbe(from: Jid, to: Jid, account: Account | undefined): MaybePromise<void> {
    const contact = to.bare();
    if (!account || !maySeePresence(account, from)) {
      return this.#deps.route(Stanza.presence({ from: contact, to: from.bare(), type: 'unsubscribed' }));
    }
    const visible = this.#visibleSessions(from, to, account);
    if (visible.length === 0) return this.#deps.route(Stanza.presence({ from: to, to: from, type: 'unavailable' }));
    for (const { presence } of visible)
      if (presence.available) void this.#deps.route(presence.available.with({ to: from }));
  }

  /** The sessions that a probe shows; a blocked contact sees none (XEP-0191 §2.4). */
  #visibleSessions(from: Jid, to: Jid, account: Account): readonly Session[] {
    if (this.#deps.filters.refusesInbound(Stanza.presence({ from, to, type: 'probe' }), account)) return [];
    return this.#deps.sessionsOf(account.key).filter(({ jid, presence }) => {
      return presence.available && !jid.equals(from) && (to.isBare || jid.equals(to));
    });
  }
}
