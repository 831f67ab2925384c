import { formatDateTime } from '../../protocol/date-time.ts';
import type { Capabilities, DiscoItem } from '../../protocol/disco.ts';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { itemElement, pubsubElement, pubsubError, readItemIds } from '../../protocol/pubsub.ts';
import { type ResultSetRequest, readResultSet } from '../../protocol/result-set.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { IqRequest } from '../../routing/extension.ts';
import type { NodeItem } from '../../routing/personal-nodes.ts';
import { maySeePresence } from '../../routing/visibility.ts';
import type { ItemSelection, PepStore } from '../../storage/pep.ts';
import { attribute, type Element, xml } from '../../xml/element.ts';
import { denial, mayAccess } from './access.ts';
import type { AccountNodes, PepNode } from './account-nodes.ts';
import { partOf, setOf, withinAnswer } from './item-pages.ts';
import type { NodeHooks } from './node-hooks.ts';

/** Dependencies of reading nodes. */
interface ReadingDeps {
  readonly nodes: AccountNodes;
  readonly hooks: Pick<NodeHooks, 'view'>;
  readonly store: Pick<PepStore, 'items' | 'itemIds'>;
}

/** An account and a node of it that the requester may read. */
interface ReadableNode {
  readonly account: Account;
  readonly node: PepNode;
}

/** Items, and what the client is told about which they are. */
type SomeItems = readonly [items: readonly NodeItem[], set?: Element];

/** Shows nodes and their items to those who may see them. */
export class Reading {
  readonly #deps: ReadingDeps;

  constructor(deps: ReadingDeps) {
    this.#deps = deps;
  }

  /** The node that an element of a request is about. Throws if the requester may not have it, before anything else can be told. */
  readable({ account, from }: Pick<IqRequest, 'account' | 'from'>, element: Element): ReadableNode {
    if (!account) throw StanzaError.serviceUnavailable();
    const name = attribute(element, 'node');
    if (!name && maySeePresence(account, from)) throw pubsubError('bad-request', 'nodeid-required');
    const node = this.#deps.nodes.find(account, name ?? '');
    const denied = denial(account, node, from);
    if (denied || !node) throw denied ?? StanzaError.itemNotFound();
    return { account, node };
  }

  /** Items of a node, in the order of publication (XEP-0060 §6.5). Changes that were requested before count. */
  async items(request: IqRequest, element: Element): Promise<Element> {
    if (request.account) await this.#deps.nodes.settled(request.account);
    const { account, node } = this.readable(request, element);
    const ids = readItemIds(element);
    const set = readResultSet(request.payload);
    const isPage = Object.keys(set).length > 0 && ids.length === 0;
    const [items, shownSet] = await (isPage
      ? this.#page(account, node, set)
      : this.#select(account, node, ids.length > 0 ? { ids } : selectionOf(element)));
    const children = items.map(({ id, payload }) => itemElement(id, payload));
    return pubsubElement(xml('items', { node: node.name }, ...children), ...(shownSet ? [shownSet] : []));
  }

  /** A page of the items (XEP-0060 §6.5.4, XEP-0059). */
  async #page(account: Account, node: PepNode, set: ResultSetRequest): Promise<SomeItems> {
    const all = await this.#ids(account, node);
    const { start, end, fromEnd } = partOf(all, set);
    const found = await this.#find(account, node, { ids: all.slice(start, end) });
    const items = withinAnswer(found, fromEnd);
    return [items, setOf(items, all)];
  }

  /** The newest are kept if they do not fit into one answer. The client is told then which they are. */
  async #select(account: Account, node: PepNode, selection: ItemSelection): Promise<SomeItems> {
    const found = await this.#find(account, node, selection);
    const items = withinAnswer(found, true);
    return items.length === found.length ? [items] : [items, setOf(items, await this.#ids(account, node))];
  }

  async #find(account: Account, { name }: PepNode, selection: ItemSelection): Promise<readonly NodeItem[]> {
    const view = this.#deps.hooks.view(name);
    if (!view) return this.#deps.store.items(account.key, name, selection);
    const shown = await view.read(account);
    return selection.ids ? shown.filter(({ id }) => selection.ids?.includes(id)) : shown;
  }

  async #ids(account: Account, { name }: PepNode): Promise<readonly string[]> {
    const view = this.#deps.hooks.view(name);
    return view ? (await view.read(account)).map(({ id }) => id) : this.#deps.store.itemIds(account.key, name);
  }

  /** The answer to disco#info about a node (XEP-0060 §5.3, §5.4). */
  info(account: Account, asker: Jid, name: string): Capabilities | undefined {
    const node = this.#deps.nodes.find(account, name);
    if (!node || !mayAccess(account, node, asker)) return undefined;
    const { config, createdAtMs } = node;
    const created = createdAtMs > 0 ? [{ var: 'pubsub#creation_date', values: [formatDateTime(createdAtMs)] }] : [];
    const fields = [
      ...created,
      { var: 'pubsub#owner', values: [account.key] },
      { var: 'pubsub#access_model', values: [config.accessModel] },
      { var: 'pubsub#max_items', values: [String(config.maxItems)] },
      { var: 'pubsub#title', values: [config.title] },
      { var: 'pubsub#description', values: [config.description] },
      { var: 'pubsub#type', values: [config.payloadType] },
    ];
    return {
      identities: [{ category: 'pubsub', type: 'leaf' }],
      features: [ns.pubsub],
      forms: [{ type: 'result', formType: ns.pubsubMetaData, fields }],
    };
  }

  /** The answer to disco#items about an account or a node of it (XEP-0060 §5.2, §5.5, XEP-0163 §6.2). */
  async list(account: Account, asker: Jid, name: string | undefined): Promise<DiscoItem[] | undefined> {
    const nodes = this.#deps.nodes.of(account);
    if (name === undefined) {
      const shown = [...nodes.values()].filter((one) => mayAccess(account, one, asker));
      return shown.map((one) => nodeItem(account.jid, one));
    }
    const node = this.#deps.nodes.find(account, name);
    if (!node || !mayAccess(account, node, asker)) return undefined;
    const ids = await this.#ids(account, node);
    return ids.map((id) => ({ jid: account.jid, name: id }));
  }
}

function nodeItem(jid: Jid, { name: node, config }: PepNode): DiscoItem {
  return { jid, node, ...(config.title !== '' && { name: config.title }) };
}

function selectionOf(element: Element): ItemSelection {
  const text = attribute(element, 'max_items');
  if (text === undefined) return {};
  if (!/^[1-9]\d{0,8}$/.test(text)) throw StanzaError.badRequest("'max_items' is a number from 1 on");
  return { newest: Number(text) };
}
