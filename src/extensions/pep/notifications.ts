import type { Caps } from '../../protocol/caps.ts';
import { Jid } from '../../protocol/jid.ts';
import { eventElement } from '../../protocol/pubsub.ts';
import { randomId } from '../../protocol/random-id.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { Account } from '../../routing/account.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { RouteOptions } from '../../routing/passage.ts';
import type { Session } from '../../routing/session.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { StanzaFilters } from '../../routing/stanza-filters.ts';
import type { PepStore } from '../../storage/pep.ts';
import type { Element } from '../../xml/element.ts';
import { mayAccess } from './access.ts';
import type { PepNode } from './account-nodes.ts';
import type { RemoteResources } from './remote-resources.ts';
import type { WantedNodes, WantedSet } from './wanted-nodes.ts';

/** Dependencies of notifications. */
interface NotificationsDeps {
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly filters: Pick<StanzaFilters, 'passesOutbound'>;
  readonly routeAll: (copies: Iterable<Stanza>, options?: RouteOptions) => MaybePromise<void>;
  readonly store: Pick<PepStore, 'unsubscribe'>;
  readonly wanted: WantedNodes;
  readonly remotes: RemoteResources;
}

/** A resource that may want notifications, and the account in whose name it is asked. */
interface Resource {
  readonly jid: Jid;
  readonly caps: Caps | undefined;
  readonly asker: Jid;
}

/** Notifications are messages of the server: nobody judges, records or forwards them, and a headline is not stored (RFC 6121 §8.5.2). */
const ownMessage: RouteOptions = { own: true };

/** Tells of what happens at nodes (XEP-0163 §4.3): resources that want it, and subscribers. Access is looked at each time. */
export class Notifications {
  readonly #deps: NotificationsDeps;

  constructor(deps: NotificationsDeps) {
    this.#deps = deps;
  }

  /** Tells of an event at a node. `subscribers` are those who have asked for it explicitly. */
  send(account: Account, node: PepNode, event: Element, subscribers: readonly string[]): void {
    if (!node.config.deliverNotifications) return;
    const message = notification(account, event);
    const recipients: Jid[] = [];
    const reached = new Set<string>();
    for (const { jid, caps, asker } of this.#resources(account)) {
      if (!mayAccess(account, node, jid)) continue;
      const wanted = this.#deps.wanted.of(caps, jid, asker);
      const isWanted = (set: WantedSet) => set.has(node.name);
      if (wanted instanceof Promise) {
        reached.add(jid.bare().toString());
        void wanted.then((set) => (isWanted(set) ? this.route(account, [message.with({ to: jid })]) : undefined));
      } else if (isWanted(wanted)) {
        reached.add(jid.bare().toString()).add(jid.toString());
        recipients.push(jid);
      }
    }
    recipients.push(...this.#explicit(account, node, subscribers).filter((jid) => !reached.has(jid.toString())));
    void this.route(
      account,
      recipients.map((to) => message.with({ to })),
    );
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
    for (const { jid, caps } of remotes.of(account.key)) yield { jid, caps, asker: account.jid };
  }

  *#available({ jid, presence, account }: Session): Generator<Resource> {
    const { available } = presence;
    if (available) yield { jid, caps: this.#deps.wanted.capsOf(available), asker: account.jid };
  }

  /** Subscribers that may still have what the node tells. The others lose their subscription (XEP-0163 §7.1). */
  #explicit(account: Account, node: PepNode, subscribers: readonly string[]): Jid[] {
    const allowed: Jid[] = [];
    for (const subscriber of subscribers) {
      const jid = Jid.parse(subscriber);
      if (mayAccess(account, node, jid)) allowed.push(jid);
      else void this.#deps.store.unsubscribe(account.key, node.name, subscriber).catch(() => undefined);
    }
    return allowed;
  }
}

/** A message of an account with an event, without an addressee. */
export function notification({ jid }: Account, event: Element, ...more: readonly Element[]): Stanza {
  return Stanza.message({ from: jid, type: 'headline' }, eventElement(event), ...more);
}
