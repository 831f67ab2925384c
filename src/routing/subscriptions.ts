import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { RosterItem } from '../storage/rosters.ts';
import type { Clock } from '../support/clock.ts';
import { childElements } from '../xml/element.ts';
import { parseElement } from '../xml/parse-element.ts';
import { Payload } from '../xml/payload.ts';
import type { Account } from './account.ts';
import { type MaybePromise, then } from './maybe-promise.ts';
import type { PresenceHooks } from './presence-hooks.ts';
import { type RosterChanges, rosterInterest } from './roster-changes.ts';
import type { Session } from './session.ts';
import type { StanzaFilters } from './stanza-filters.ts';
import {
  accepted,
  inbound,
  isSameState,
  mutualSubscription,
  noSubscription,
  outbound,
  type SubscriptionState,
  type SubscriptionType,
  stateOf,
  subscriptionOf,
} from './subscription-states.ts';

/** Dependencies of subscriptions. */
interface SubscriptionDeps {
  readonly rosters: RosterChanges;
  readonly sessionsOf: (account: string) => readonly Session[];
  readonly filters: StanzaFilters;
  readonly hooks: Pick<PresenceHooks, 'accepts' | 'subscriptionChanged'>;
  readonly route: (stanza: Stanza) => MaybePromise<void>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** The number of contacts one account may have, and the number of requests from others. */
  readonly maxItems: () => number;
}

/** How to save a changed item. */
interface Saving {
  readonly inRoster: boolean;
  /** The request to keep until it is answered. */
  readonly request?: Stanza;
  readonly beforePush?: (() => void) | undefined;
}

/** The shortest time between repeats of unanswered requests, so that a client that reconnects often cannot flood strangers. */
const minRepeatIntervalMs = 10 * 60_000;

const types: ReadonlySet<string> = new Set<SubscriptionType>([
  'subscribe',
  'subscribed',
  'unsubscribe',
  'unsubscribed',
]);

/** Whether presence of this type manages subscriptions. */
export function isSubscriptionType(type: string | undefined): type is SubscriptionType {
  return type !== undefined && types.has(type);
}

/** Changes the state of presence subscriptions and informs both sides (RFC 6121 §3). */
export class Subscriptions {
  readonly #deps: SubscriptionDeps;
  readonly #repeatedAtMs = new WeakMap<Account, number>();

  constructor(deps: SubscriptionDeps) {
    this.#deps = deps;
  }

  /** Handles a subscription stanza of the owner's client (RFC 6121 §3.1.2, §3.1.5, §3.2.2, §3.3.2, §3.4.2). */
  async fromOwner(stanza: Stanza, type: SubscriptionType, account: Account): Promise<void> {
    if (!stanza.to) throw StanzaError.badRequest(`a presence of type '${type}' needs a 'to'`);
    this.#deps.filters.checkOutbound(stanza, account);
    const contact = stanza.to.bare();
    if (contact.equals(account.jid)) throw StanzaError.notAllowed('you cannot subscribe to yourself');
    const item = account.roster.getOrBlank(contact.toString());
    const state = stateOf(item);
    const { next, pass } = outbound(type, isInvited(stanza, type, state) ? { ...state, approved: true } : state);
    const creates = type === 'subscribe' || type === 'subscribed';
    if (creates && !this.#hasRoom(account, item)) throw StanzaError.resourceConstraint('the roster is full');
    await this.#save(account, item, next, { inRoster: item.inRoster || creates });
    if (pass) await this.#deps.route(stanza.with({ from: account.jid, to: contact }));
    if (pass && type === 'subscribed') this.#showPresence(account, contact);
    if (pass && type === 'unsubscribed' && state.from) this.#hidePresence(account, contact);
    this.#changed(account, contact, state, next);
  }

  /** Handles a subscription stanza of a contact (RFC 6121 §3.1.3, §3.1.6, §3.2.3, §3.3.3). */
  toOwner(stanza: Stanza, type: SubscriptionType, from: Jid, account: Account): MaybePromise<void> {
    const contact = from.bare();
    if (type !== 'subscribe') return this.#arrived(stanza, type, contact, account);
    return then(this.#isAccepted(stanza, contact, account), (isAccepted) => {
      return isAccepted ? this.#accept(contact, account) : this.#arrived(stanza, type, contact, account);
    });
  }

  async #arrived(stanza: Stanza, type: SubscriptionType, contact: Jid, account: Account): Promise<void> {
    const item = account.roster.getOrBlank(contact.toString());
    const state = stateOf(item);
    const { next, pass, approve } = inbound(type, state);
    // No error for a full roster: it would reveal to a stranger that the account exists.
    if (type === 'subscribe' && !this.#mayWait(account, item)) return;
    const request = stanza.with({ from: contact, to: account.jid });
    const deliver = pass ? () => this.#deliver(request, type, account) : undefined;
    await this.#save(account, item, next, { inRoster: item.inRoster, request, beforePush: deliver });
    if (approve) {
      await this.#deps.route(Stanza.presence({ from: account.jid, to: contact, type: 'subscribed' }));
      this.#showPresence(account, contact);
    }
    if (type === 'unsubscribe' && state.from) this.#hidePresence(account, contact);
    this.#changed(account, contact, state, next);
  }

  /** Whether an extension accepts a request for the owner. Asked only if that changes something, because an answer may use something up. */
  #isAccepted(request: Stanza, contact: Jid, account: Account): MaybePromise<boolean> {
    const item = account.roster.getOrBlank(contact.toString());
    if (!showsToken(request) || stateOf(item).from || !this.#hasRoom(account, item)) return false;
    return this.#deps.hooks.accepts(request, account);
  }

  /** Accepts a request for the owner, and asks the contact for the same. */
  async #accept(contact: Jid, account: Account): Promise<void> {
    const item = account.roster.getOrBlank(contact.toString());
    const state = stateOf(item);
    const next = accepted(state);
    await this.#save(account, item, next, { inRoster: true });
    const ends = { from: account.jid, to: contact };
    await this.#deps.route(Stanza.presence({ ...ends, type: 'subscribed' }));
    this.#showPresence(account, contact);
    if (next.ask && !state.ask) await this.#deps.route(Stanza.presence({ ...ends, type: 'subscribe', id: randomId() }));
    this.#changed(account, contact, state, next);
  }

  /** Makes two accounts contacts of each other, who see the presence of each other, without a question to either. */
  async connect(one: Account, other: Account): Promise<void> {
    for (const [account, contact] of [
      [one, other.jid],
      [other, one.jid],
    ] as const) {
      const item = account.roster.getOrBlank(contact.toString());
      const state = stateOf(item);
      await this.#save(account, item, mutualSubscription, { inRoster: true });
      this.#changed(account, contact, state, mutualSubscription);
    }
    this.#showPresence(one, other.jid);
    this.#showPresence(other, one.jid);
  }

  /** Sends a newly available session the requests that wait for the user's answer, one per step (RFC 6121 §3.1.3). */
  *pendingRequests(session: Session): Generator<void> {
    const { account } = session;
    for (const { contact, pendingIn } of [...account.roster.all()]) {
      if (!pendingIn) continue;
      const request = pendingRequest(contact, pendingIn, account);
      // The user may have blocked the contact since then.
      if (!this.#deps.filters.refusesInbound(request, account)) yield session.send(request);
    }
  }

  /** Repeats unanswered requests of the account, because they may be lost (RFC 6121 §3.1.2). */
  repeatRequests(account: Account): void {
    const unanswered = [...account.roster.all()].filter(({ ask }) => ask);
    if (unanswered.length === 0 || !this.#mayRepeat(account)) return;
    for (const { contact } of unanswered) {
      const ends = { from: account.jid, to: Jid.parse(contact) };
      this.#tell(Stanza.presence({ ...ends, type: 'subscribe', id: randomId() }), account);
    }
  }

  #mayRepeat(account: Account): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    const before = this.#repeatedAtMs.get(account);
    if (before !== undefined && nowMs - before < minRepeatIntervalMs) return false;
    this.#repeatedAtMs.set(account, nowMs);
    return true;
  }

  /** Ends both directions of a subscription and removes its item (RFC 6121 §2.5.2). */
  async cancel(account: Account, contact: Jid): Promise<void> {
    const state = stateOf(account.roster.getOrBlank(contact.toString()));
    await this.#deps.rosters.remove(account, contact.toString());
    const tell = (type: SubscriptionType) =>
      this.#deps.route(Stanza.presence({ from: account.jid, to: contact, type }));
    if (state.to || state.ask) await tell('unsubscribe');
    if (state.from || state.pendingIn) await tell('unsubscribed');
    if (state.from) this.#hidePresence(account, contact);
    this.#changed(account, contact, state, noSubscription);
  }

  /** Ends every subscription, because the account is being removed (XEP-0077 §3.2). */
  async cancelAll(account: Account): Promise<void> {
    for (const item of [...account.roster.all()]) await this.cancel(account, Jid.parse(item.contact));
  }

  async #save(
    account: Account,
    item: RosterItem,
    next: SubscriptionState,
    { inRoster, request, beforePush }: Saving,
  ): Promise<void> {
    const pendingIn = next.pendingIn ? (item.pendingIn ?? (request && bytesToKeep(request))) : undefined;
    const subscription = subscriptionOf(next);
    const changed: RosterItem = { ...item, subscription, ask: next.ask, approved: next.approved, pendingIn, inRoster };
    if (sameItem(item, changed)) return;
    if (!inRoster && !pendingIn) return this.#deps.rosters.remove(account, item.contact, beforePush);
    await this.#deps.rosters.save(account, changed, beforePush);
  }

  #changed(account: Account, contact: Jid, before: SubscriptionState, after: SubscriptionState): void {
    if (!isSameState(before, after)) this.#deps.hooks.subscriptionChanged(account, contact, before, after);
  }

  #hasRoom({ roster }: Account, { inRoster }: RosterItem): boolean {
    return inRoster || roster.visibleCount < this.#deps.maxItems();
  }

  /** Whether another request may wait. Requests have their own limit, so that spam cannot fill the roster. */
  #mayWait({ roster }: Account, { contact }: RosterItem): boolean {
    return roster.get(contact) !== undefined || roster.size - roster.visibleCount < this.#deps.maxItems();
  }

  /** Sends requests to available resources, and other types to those that asked for the roster (RFC 6121 §3.1.3, §3.1.6). */
  #deliver(stanza: Stanza, type: SubscriptionType, account: Account): void {
    for (const session of this.#deps.sessionsOf(account.key)) {
      const concerned = type === 'subscribe' ? session.presence.available : session.interests.has(rosterInterest);
      if (concerned) session.send(stanza);
    }
  }

  #showPresence(account: Account, contact: Jid): void {
    for (const { presence } of this.#deps.sessionsOf(account.key)) {
      if (presence.available) this.#tell(presence.available.with({ to: contact }), account);
    }
  }

  /** Only for contacts who have seen presence: to others, unavailable presence would reveal an available session (RFC 6121 §11). */
  #hidePresence(account: Account, contact: Jid): void {
    for (const { jid, presence } of this.#deps.sessionsOf(account.key)) {
      if (presence.available) this.#tell(Stanza.presence({ from: jid, to: contact, type: 'unavailable' }), account);
    }
  }

  #tell(stanza: Stanza, account: Account): void {
    if (this.#deps.filters.passesOutbound(stanza, account)) void this.#deps.route(stanza);
  }
}

/** Whether a request shows the token of an invitation: whoever sends it wants to be asked back, and agrees (XEP-0379 §3.6). */
function isInvited(request: Stanza, type: SubscriptionType, { from }: SubscriptionState): boolean {
  return type === 'subscribe' && !from && showsToken(request);
}

function showsToken({ payload }: Stanza): boolean {
  return payload.has('preauth', ns.preauth);
}

/** The most bytes of a request that is kept with its content. */
const maxRequestBytes = 4096;

function bytesToKeep(request: Stanza): Buffer {
  const bytes = request.toBytes();
  return bytes.length <= maxRequestBytes ? bytes : request.with({ payload: Payload.empty }).toBytes();
}

function sameItem(a: RosterItem, b: RosterItem): boolean {
  return (
    a.subscription === b.subscription &&
    a.ask === b.ask &&
    a.approved === b.approved &&
    a.inRoster === b.inRoster &&
    a.pendingIn === b.pendingIn
  );
}

function pendingRequest(contact: string, bytes: Buffer, account: Account): Stanza {
  const children = childElements(parseElement(bytes));
  return Stanza.presence({ from: Jid.parse(contact), to: account.jid, type: 'subscribe' }, ...children);
}
