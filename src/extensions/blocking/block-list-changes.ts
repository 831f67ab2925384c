import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { randomId } from '../../protocol/random-id.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { PresenceHooks } from '../../routing/presence-hooks.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { BlocklistStore } from '../../storage/blocklists.ts';
import { type Element, xml } from '../../xml/element.ts';
import { isListed } from './block-list.ts';

/** Dependencies of changes of block lists. */
export interface BlockListDeps {
  readonly store: BlocklistStore;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly presenceHooks: Pick<PresenceHooks, 'directedEnded'>;
  readonly route: (stanza: Stanza) => MaybePromise<void>;
}

/** The interest in pushes of blocked and unblocked addresses (XEP-0191 §3.3). */
export const blockListInterest = 'blocklist';
/** The number of addresses that one account may block. */
const maxItems = 2000;

/** Changes block lists: in memory at once, then on disk, and when that is durable, for clients and contacts. */
export class BlockListChanges {
  readonly #deps: BlockListDeps;

  constructor(deps: BlockListDeps) {
    this.#deps = deps;
  }

  /** Blocks addresses. Resolves when that is durable. The blocked contacts see the user go offline (XEP-0191 §3.3). */
  async add(account: Account, jids: readonly Jid[]): Promise<void> {
    const before = account.blocked;
    const named = texts(jids);
    const fresh = [...named].filter((text) => !before.has(text));
    if (before.size + fresh.length > maxItems) throw StanzaError.resourceConstraint('the block list is full');
    account.block(fresh);
    await this.#deps.store.add(account.key, fresh).catch((error: unknown) => {
      account.unblock(fresh);
      throw error;
    });
    this.#push(account, xml('block', { xmlns: ns.blocking }, ...itemElements(named)));
    this.#hide(account, jids, before);
  }

  /** Unblocks addresses. Resolves when that is durable. The unblocked contacts see the user again (XEP-0191 §3.4). */
  async remove(account: Account, jids: readonly Jid[]): Promise<void> {
    const named = texts(jids);
    await this.#unblock(account, jids, () => this.#deps.store.remove(account.key, [...named]));
    this.#push(account, xml('unblock', { xmlns: ns.blocking }, ...itemElements(named)));
    this.#show(account, jids);
  }

  /** Unblocks all addresses (XEP-0191 §3.5). */
  async clear(account: Account): Promise<void> {
    const jids = Array.from(account.blocked, (text) => Jid.parse(text));
    await this.#unblock(account, jids, () => this.#deps.store.clear(account.key));
    this.#push(account, xml('unblock', { xmlns: ns.blocking }));
    this.#show(account, jids);
  }

  async #unblock(account: Account, jids: readonly Jid[], save: () => Promise<void>): Promise<void> {
    const gone = [...texts(jids)].filter((text) => account.blocked.has(text));
    account.unblock(gone);
    await save().catch((error: unknown) => {
      account.block(gone);
      throw error;
    });
  }

  #push(account: Account, command: Element): void {
    for (const session of this.#deps.sessions.of(account.key)) {
      if (!session.interests.has(blockListInterest)) continue;
      session.send(Stanza.iq({ type: 'set', id: randomId(), from: account.jid, to: session.jid }, command));
    }
  }

  #hide(account: Account, jids: readonly Jid[], before: ReadonlySet<string>): void {
    const audience = audienceOf(account, jids).filter((to) => !isListed(before, to, account));
    for (const session of this.#deps.sessions.of(account.key)) {
      const { jid, presence } = session;
      const lost = [...presence.directed.values()].filter((to) => isListed(account.blocked, to, account));
      for (const to of lost) presence.directed.delete(to.toString());
      for (const blocked of jids) presence.writtenTo.delete(blocked);
      const seen = presence.available ? audience : [];
      for (const to of new Set([...seen, ...lost])) this.#tell(Stanza.presence({ from: jid, to, type: 'unavailable' }));
      this.#deps.presenceHooks.directedEnded(session, lost);
    }
  }

  #show(account: Account, jids: readonly Jid[]): void {
    const audience = audienceOf(account, jids).filter((to) => !isListed(account.blocked, to, account));
    for (const { presence } of this.#deps.sessions.of(account.key)) {
      for (const to of audience) if (presence.available) this.#tell(presence.available.with({ to }));
    }
  }

  #tell(presence: Stanza): void {
    void this.#deps.route(presence);
  }
}

/** One `<item/>` for each address. */
export function itemElements(jids: Iterable<string>): Element[] {
  return Array.from(jids, (jid) => xml('item', { jid }));
}

/** The contacts that match the addresses and may see the user's presence. */
function audienceOf(account: Account, jids: readonly Jid[]): Jid[] {
  const list = texts(jids);
  const contacts = Array.from(account.roster.all(), ({ contact }) => Jid.parse(contact));
  const resources = jids.filter((jid) => !jid.isBare);
  return [...contacts, ...resources].filter((jid) => account.roster.isSubscriber(jid) && isListed(list, jid, account));
}

function texts(jids: readonly Jid[]): Set<string> {
  return new Set(jids.map(String));
}
