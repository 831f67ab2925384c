import { type Caps, isSameCaps } from '../../protocol/caps.ts';
import { delayElement } from '../../protocol/delay.ts';
import { Jid } from '../../protocol/jid.ts';
import { itemEventPayload } from '../../protocol/pubsub.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { Account } from '../../routing/account.ts';
import { atClientPace } from '../../routing/at-client-pace.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { Session } from '../../routing/session.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { PepItem, PepStore } from '../../storage/pep.ts';
import type { Log } from '../../support/log.ts';
import { mayAccess } from './access.ts';
import type { AccountNodes, PepNode } from './account-nodes.ts';
import type { Notifications } from './notifications.ts';
import type { RemoteResources } from './remote-resources.ts';
import { nothingWanted, type WantedNodes, type WantedSet } from './wanted-nodes.ts';

/** Dependencies of last items. */
interface LastItemsDeps {
  readonly nodes: AccountNodes;
  readonly wanted: WantedNodes;
  readonly remotes: RemoteResources;
  readonly notifications: Pick<Notifications, 'route'>;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly accounts: { get(jid: Jid): MaybePromise<Account | undefined> };
  readonly isLocalDomain: (domain: string) => boolean;
  readonly store: Pick<PepStore, 'lastItems'>;
  readonly log: Log;
}

/** A node whose last item somebody is sent. */
interface Source {
  readonly account: Account;
  readonly node: PepNode;
}

/** Items that are read at once. More of them, of 128 KiB each, would fill the memory and hold up the storage thread. */
const readAtOnce = 64;

/** What a session was when it was last sent last items. */
interface Served {
  readonly caps: Caps | undefined;
  wanted: WantedSet;
}

/**
 * Sends the last items of nodes to resources that come online, or come to want more (XEP-0163 §4.3.4). A change of status sends
 * nothing.
 */
export class LastItems {
  readonly #deps: LastItemsDeps;
  readonly #served = new WeakMap<Session, Served>();

  constructor(deps: LastItemsDeps) {
    this.#deps = deps;
  }

  /** A session has announced itself: it gets the last items of its own account, and of the contacts on this server. */
  async announced(session: Session, presence: Stanza, initial: boolean): Promise<void> {
    const caps = this.#deps.wanted.capsOf(presence);
    const before = initial ? undefined : this.#served.get(session);
    if (before && isSameCaps(before.caps, caps)) return;
    const served: Served = { caps, wanted: before?.wanted ?? nothingWanted };
    this.#served.set(session, served);
    // A session that was resumed after a restart is not a new one.
    if (!caps || (!initial && !before)) return;
    const owners = await this.#withNodes([session.account, ...this.#localContacts(session.account)]);
    if (owners.length === 0) return;
    const wanted = await this.#deps.wanted.of(caps, session.jid, session.account.jid);
    const fresh = newIn(wanted, served.wanted);
    served.wanted = wanted;
    await this.#serve(session.jid, owners, fresh, session);
  }

  /** The resource of a contact on another server has announced itself to an account. */
  async arrived(presence: Stanza, from: Jid, account: Account): Promise<void> {
    const caps = this.#deps.wanted.capsOf(presence);
    const resource = caps && this.#deps.remotes.see(account.key, from, caps);
    if (!resource || this.#deps.nodes.of(account).size === 0) return;
    const wanted = await this.#deps.wanted.of(caps, from, account.jid);
    const fresh = newIn(wanted, resource.served);
    resource.served = wanted;
    await this.#serve(from, [account], fresh);
  }

  /** A contact may see the account's presence from now on. */
  async shownTo(account: Account, contact: Jid): Promise<void> {
    if (this.#deps.nodes.of(account).size === 0) return;
    const sessions = this.#deps.sessions.of(contact.toString());
    for (const session of sessions) {
      const caps = session.presence.available && this.#deps.wanted.capsOf(session.presence.available);
      const wanted = await this.#deps.wanted.of(caps, session.jid, session.account.jid);
      await this.#serve(session.jid, [account], wanted, session);
    }
    for (const { jid, caps } of [...this.#deps.remotes.of(account.key)]) {
      if (!jid.bare().equals(contact)) continue;
      await this.#serve(jid, [account], await this.#deps.wanted.of(caps, jid, account.jid));
    }
  }

  /** Somebody has subscribed to a node. */
  async subscribed(account: Account, node: PepNode, subscriber: Jid): Promise<void> {
    if (node.config.sendLastItem !== 'never') await this.#send([{ account, node }], subscriber);
  }

  *#localContacts({ roster }: Account): Generator<Jid> {
    for (const { contact, subscription } of roster.all()) {
      if (subscription !== 'to' && subscription !== 'both') continue;
      const jid = Jid.parse(contact);
      if (this.#deps.isLocalDomain(jid.domain)) yield jid;
    }
  }

  /** The accounts that have nodes. Those that are not in memory are read anyway, because of the presence. */
  async #withNodes(found: Iterable<Account | Jid>): Promise<Account[]> {
    const accounts: Account[] = [];
    const reading: Promise<Account | undefined>[] = [];
    const take = (account: Account | undefined) => {
      if (account && this.#deps.nodes.of(account).size > 0) accounts.push(account);
    };
    for (const one of found) {
      const account = one instanceof Jid ? this.#deps.accounts.get(one) : one;
      if (account instanceof Promise) reading.push(account);
      else take(account);
    }
    for (const account of await Promise.all(reading)) take(account);
    return accounts;
  }

  async #serve(to: Jid, owners: readonly Account[], wanted: WantedSet, session?: Session): Promise<void> {
    await this.#send(this.#sources(to, owners, wanted), to, session);
  }

  *#sources(to: Jid, owners: readonly Account[], wanted: WantedSet): Generator<Source> {
    for (const account of owners) {
      for (const name of wanted) {
        const node = this.#deps.nodes.of(account).get(name);
        const isSent = node?.config.sendLastItem === 'on_sub_and_presence' && node.config.deliverNotifications;
        if (node && isSent && mayAccess(account, node, to)) yield { account, node };
      }
    }
  }

  /** Reads a few of them at a time, and sends them at the pace of the client if it is one of ours. */
  async #send(sources: Iterable<Source>, to: Jid, session?: Session): Promise<void> {
    for (const some of inPortions(sources)) {
      const addresses = some.map(({ account, node }) => ({ owner: account.key, node: node.name }));
      const steps = this.#steps(some, await this.#deps.store.lastItems(addresses), to);
      if (session) await atClientPace(session, steps);
      else for (const _ of steps);
      if (session && !session.presence.available) return;
    }
  }

  *#steps(sources: readonly Source[], items: readonly (PepItem | undefined)[], to: Jid): Generator<void> {
    for (const [at, { account, node }] of sources.entries()) {
      const item = items[at];
      // If the node has changed meanwhile its latest event has been sent, and this item is not the last one any more.
      const isLast = this.#deps.nodes.of(account).get(node.name) === node;
      if (!item || !isLast || !mayAccess(account, node, to)) continue;
      yield void this.#deps.notifications.route(account, [lastItem(account, node, item, to)]);
    }
  }

  /** Runs what nobody waits for. */
  inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#deps.log.error({ err: error }, 'the last items of nodes could not be sent'));
  }
}

function* inPortions(sources: Iterable<Source>): Generator<readonly Source[]> {
  let portion: Source[] = [];
  for (const source of sources) {
    if (portion.push(source) < readAtOnce) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}

function newIn(wanted: WantedSet, before: WantedSet): WantedSet {
  if (wanted === before) return nothingWanted;
  return before.size === 0 ? wanted : new Set([...wanted].filter((node) => !before.has(node)));
}

function lastItem(account: Account, { name, config }: PepNode, item: PepItem, to: Jid): Stanza {
  const event = itemEventPayload(name, item.id, config.deliverPayloads ? item.payload : undefined);
  const payload = event.with(delayElement({ from: account.jid, stampMs: item.publishedAtMs }));
  return new Stanza('message', { from: account.jid, to, type: 'headline' }, payload);
}
