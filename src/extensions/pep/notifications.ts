import { type Caps, isSameCaps } from '../../protocol/caps.ts';
import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { eventElement } from '../../protocol/pubsub.ts';
import { randomId } from '../../protocol/random-id.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { Account } from '../../routing/account.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { RouteOptions } from '../../routing/passage.ts';
import type { Session } from '../../routing/session.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { StanzaFilters } from '../../routing/stanza-filters.ts';
import { maySeePresence } from '../../routing/visibility.ts';
import type { PepStore } from '../../storage/pep.ts';
import type { Log } from '../../support/log.ts';
import { type Element, xml } from '../../xml/element.ts';
import { mayAccess } from './access.ts';
import type { PepNode } from './account-nodes.ts';
import type { RemoteResources } from './remote-resources.ts';
import type { WantedNodes } from './wanted-nodes.ts';

/** Dependencies of notifications. */
interface NotificationsDeps {
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly filters: Pick<StanzaFilters, 'passesOutbound'>;
  readonly routeAll: (copies: Iterable<Stanza>, options?: RouteOptions) => MaybePromise<void>;
  readonly store: Pick<PepStore, 'unsubscribe'>;
  readonly wanted: WantedNodes;
  readonly remotes: RemoteResources;
  readonly log: Log;
}

/** A resource that may want notifications, and the account in whose name it is asked. */
interface Resource {
  readonly jid: Jid;
  readonly asker: Jid;
  /** Its capabilities at the moment. */
  caps(): Caps | undefined;
}

/** What has happened at a node. */
interface NodeEvent {
  /** The content of the `<event/>`. */
  readonly content: Element;
  /** Those who have asked for events of the node explicitly. */
  readonly subscribers: readonly string[];
  /** The resource that has caused it, if contacts may know of that resource. */
  readonly publisher?: Jid | undefined;
}

/** A resource that is being asked whether it wants notifications. */
interface Undecided {
  readonly jid: Jid;
  readonly wants: Promise<boolean>;
}

/** Notifications are messages of the server: nobody judges, records or forwards them, and a headline is not stored (RFC 6121 §8.5.2). */
const ownMessage: RouteOptions = { own: true };

/** Tells of what happens at nodes (XEP-0163 §4.3): resources that want it, and subscribers. Access is looked at each time. */
export class Notifications {
  readonly #deps: NotificationsDeps;
  /** The last undecided event of each resource that is being asked, by the account of the node and the resource. */
  readonly #undecided = new Map<string, Promise<boolean>>();

  constructor(deps: NotificationsDeps) {
    this.#deps = deps;
  }

  /** Tells of an event at a node: resources that want it, and subscribers. */
  send(account: Account, node: PepNode, event: NodeEvent): void {
    if (!node.config.deliverNotifications) return;
    const messageTo = addressed(account, event);
    const deliver = (to: readonly Jid[]) => void this.route(account, to.map(messageTo));
    const wanting: Jid[] = [];
    const undecided: Undecided[] = [];
    for (const resource of this.#resources(account)) {
      if (!mayAccess(account, node, resource.jid)) continue;
      const wants = this.#inTurn(account, resource, node.name);
      if (wants instanceof Promise) undecided.push({ jid: resource.jid, wants });
      else if (wants) wanting.push(resource.jid);
    }
    const reached = new Set(wanting.flatMap((jid) => [jid.bare().toString(), jid.toString()]));
    const others = this.#explicit(account, node, event.subscribers).filter((jid) => !reached.has(jid.toString()));
    deliver([...wanting, ...others.filter((subscriber) => !undecided.some(({ jid }) => reaches(jid, subscriber)))]);
    if (undecided.length === 0) return;
    for (const { jid, wants } of undecided) void wants.then((isWanted) => (isWanted ? deliver([jid]) : undefined));
    for (const subscriber of others) {
      const resources = undecided.filter(({ jid }) => reaches(jid, subscriber));
      const decided = Promise.all(resources.map(({ wants }) => wants));
      if (resources.length > 0) void decided.then((any) => (any.includes(true) ? undefined : deliver([subscriber])));
    }
  }

  /** Sends notifications of an account, except to those whom it has blocked. */
  route(account: Account, messages: readonly Stanza[]): MaybePromise<void> {
    const passing = messages.filter((message) => this.#deps.filters.passesOutbound(message, account));
    const copies = passing.map((message) => message.with({ id: randomId() }));
    return this.#deps.routeAll(copies, ownMessage);
  }

  /** The available resources of the account and of those who may see its presence, as far as the server sees theirs. */
  *#resources(account: Account): Generator<Resource> {
    const { sessions, remotes } = this.#deps;
    for (const session of sessions.of(account.key)) yield* this.#available(session);
    for (const { contact, subscription } of account.roster.all()) {
      if (subscription !== 'from' && subscription !== 'both') continue;
      for (const session of sessions.of(contact)) yield* this.#available(session);
    }
    for (const { jid, caps } of remotes.of(account.key)) yield { jid, caps: () => caps, asker: account.jid };
  }

  *#available({ jid, presence, account }: Session): Generator<Resource> {
    const caps = () => presence.available && this.#deps.wanted.capsOf(presence.available);
    if (presence.available) yield { jid, caps, asker: account.jid };
  }

  /** Whether a resource wants notifications of a node, decided after the same question about earlier events. */
  #inTurn(account: Account, resource: Resource, node: string): MaybePromise<boolean> {
    const key = `${account.key} ${resource.jid}`;
    const before = this.#undecided.get(key);
    const wants = before ? before.then(() => this.#wants(resource, node)) : this.#wants(resource, node);
    if (!(wants instanceof Promise)) return wants;
    this.#undecided.set(key, wants);
    void wants.then(() => {
      if (this.#undecided.get(key) === wants) this.#undecided.delete(key);
    });
    return wants;
  }

  /** A client that is asked about capabilities it has just changed knows nothing of the old ones, so the new ones count. */
  #wants(resource: Resource, node: string): MaybePromise<boolean> {
    const caps = resource.caps();
    const wanted = this.#deps.wanted.of(caps, resource.jid, resource.asker);
    if (!(wanted instanceof Promise)) return wanted.has(node);
    return wanted.then((set) => set.has(node) || (!isSameCaps(caps, resource.caps()) && this.#wants(resource, node)));
  }

  /** Subscribers that may still have what the node tells. The others lose their subscription (XEP-0163 §7.1). */
  #explicit(account: Account, node: PepNode, subscribers: readonly string[]): Jid[] {
    const allowed: Jid[] = [];
    for (const subscriber of subscribers) {
      const jid = Jid.parse(subscriber);
      if (mayAccess(account, node, jid)) allowed.push(jid);
      else this.#unsubscribe(account, node, subscriber);
    }
    return allowed;
  }

  #unsubscribe(account: Account, node: PepNode, subscriber: string): void {
    const { store, log } = this.#deps;
    store
      .unsubscribe(account.key, node.name, subscriber)
      .catch((error: unknown) => log.error({ err: error }, 'a subscription could not be ended'));
  }
}

/** Makes the messages of an event. Those who see the presence of the account are told which resource has published (XEP-0163 §4.3.1). */
function addressed(account: Account, { content, publisher }: NodeEvent): (to: Jid) => Stanza {
  const plain = Stanza.message({ from: account.jid, type: 'headline' }, eventElement(content));
  if (!publisher) return (to) => plain.with({ to });
  const address = xml('address', { type: 'replyto', jid: publisher.toString() });
  const named = plain.with({ payload: plain.payload.with(xml('addresses', { xmlns: ns.addresses }, address)) });
  return (to) => (maySeePresence(account, to) ? named : plain).with({ to });
}

/** Whether what a resource gets is also for a subscriber: the resource itself, or the account that it belongs to. */
function reaches(resource: Jid, subscriber: Jid): boolean {
  return resource.equals(subscriber) || resource.bare().equals(subscriber);
}
