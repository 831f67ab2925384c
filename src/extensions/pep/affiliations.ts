import { jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { nodeOf, pubsubChildren, pubsubElement, pubsubOwnerElement } from '../../protocol/pubsub.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { Accounts } from '../../routing/accounts.ts';
import type { IqRequest } from '../../routing/extension.ts';
import { maySeePresence } from '../../routing/visibility.ts';
import type { PepStore } from '../../storage/pep.ts';
import { attribute, type Element, xml } from '../../xml/element.ts';
import { type AccountNodes, nodeRecord, type PepNode } from './account-nodes.ts';
import { isPrivate } from './known-nodes.ts';
import type { OwnRequest } from './publishing.ts';

/** Dependencies of affiliations. */
interface AffiliationsDeps {
  readonly nodes: AccountNodes;
  readonly accounts: Pick<Accounts, 'peek'>;
  readonly store: Pick<PepStore, 'configure' | 'forget'>;
}

/** What an owner changes: whether a bare JID is a member. */
type Changes = ReadonlyMap<string, boolean>;

/** Bytes of the addresses of the members of a node: every node is in memory with its account. */
export const maxMemberBytes = 8192;

/** Members of nodes: those whom a whitelist lets in (XEP-0060 §4.1). Other affiliations than owner and member are not supported. */
export class Affiliations {
  readonly #deps: AffiliationsDeps;

  constructor(deps: AffiliationsDeps) {
    this.#deps = deps;
  }

  /** The affiliations of the requester (XEP-0060 §5.7). A stranger without any learns nothing. */
  ofRequester({ account, from }: IqRequest, element: Element): Element {
    if (!account) throw StanzaError.serviceUnavailable();
    const asked = attribute(element, 'node');
    const requester = from.bare();
    const found: Element[] = [];
    for (const node of this.#deps.nodes.of(account).values()) {
      const affiliation = affiliationOf(account, node, requester.toString());
      if (affiliation && (asked === undefined || asked === node.name))
        found.push(xml('affiliation', { node: node.name, affiliation }));
    }
    if (found.length === 0 && !maySeePresence(account, from)) throw StanzaError.serviceUnavailable();
    return pubsubElement(xml('affiliations', { node: asked }, ...found));
  }

  /** The owner and the members of a node (XEP-0060 §8.9.1). */
  list({ account }: OwnRequest, element: Element): Element {
    const { name, members } = this.#node(account, nodeOf(element));
    const owner = xml('affiliation', { jid: account.key, affiliation: 'owner' });
    const others = members.map((jid) => xml('affiliation', { jid, affiliation: 'member' }));
    return pubsubOwnerElement(xml('affiliations', { node: name }, owner, ...others));
  }

  /** Makes addresses members, or ends that (XEP-0060 §8.9.2). Makes all changes or none. Throws `not-acceptable`. */
  async change({ account }: OwnRequest, element: Element): Promise<undefined> {
    const name = nodeOf(element);
    const changes = readChanges(element, account);
    return this.#deps.nodes.change(account, async () => {
      const before = this.#node(account, name);
      const node = { ...before, members: changed(before.members, changes) };
      if (isPrivate(name)) throw StanzaError.notAcceptable('the node is private');
      if (Buffer.byteLength(node.members.join()) > maxMemberBytes)
        throw StanzaError.resourceConstraint('the node has too many members');
      await this.#deps.store.configure(account.key, name, nodeRecord(node).config);
      this.#deps.nodes.configure(account, node);
      return undefined;
    });
  }

  /** An account was removed: it is no member or subscriber of any node any more. */
  async forget(member: string): Promise<void> {
    for (const { owner, node } of await this.#deps.store.forget(member)) {
      const account = this.#deps.accounts.peek(owner);
      if (account) await this.#deps.nodes.change(account, () => this.#removeMember(account, node, member));
    }
  }

  /** In memory, and again in the store: a change of the node that was under way has written the member again. */
  async #removeMember(account: Account, name: string, member: string): Promise<void> {
    const before = this.#deps.nodes.of(account).get(name);
    if (!before?.members.includes(member)) return;
    const node = { ...before, members: before.members.filter((jid) => jid !== member) };
    await this.#deps.store.configure(account.key, name, nodeRecord(node).config);
    this.#deps.nodes.configure(account, node);
  }

  #node(account: Account, name: string): PepNode {
    const node = this.#deps.nodes.find(account, name);
    if (!node) throw StanzaError.itemNotFound();
    return node;
  }
}

function affiliationOf({ key }: Account, { members }: PepNode, jid: string): 'owner' | 'member' | undefined {
  if (jid === key) return 'owner';
  return members.includes(jid) ? 'member' : undefined;
}

function readChanges(element: Element, { key }: Account): Changes {
  const changes = new Map<string, boolean>();
  for (const entry of pubsubChildren(element, 'affiliation')) {
    const jid = jidOrNothing(attribute(entry, 'jid'))?.bare().toString();
    const affiliation = attribute(entry, 'affiliation');
    if (jid === key && affiliation === 'owner') continue;
    if (jid === undefined || jid === key || (affiliation !== 'member' && affiliation !== 'none'))
      throw StanzaError.notAcceptable('addresses can be made member or none');
    changes.set(jid, affiliation === 'member');
  }
  return changes;
}

function changed(members: readonly string[], changes: Changes): readonly string[] {
  const result = new Set(members);
  for (const [jid, isMember] of changes) {
    if (isMember) result.add(jid);
    else result.delete(jid);
  }
  return [...result].sort();
}
