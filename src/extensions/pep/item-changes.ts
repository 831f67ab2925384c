import type { Jid } from '../../protocol/jid.ts';
import { itemElement, pubsubError } from '../../protocol/pubsub.ts';
import { configured, maxItemsOfNode, type NodeConfig } from '../../protocol/pubsub-config.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { NodeChange, NodeItem, PersonalNodes } from '../../routing/personal-nodes.ts';
import type { ItemSelection, PepStore } from '../../storage/pep.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Clock } from '../../support/clock.ts';
import { type Element, xml } from '../../xml/element.ts';
import { mayAccess } from './access.ts';
import { type AccountNodes, nodeRecord, type PepNode, viewNode } from './account-nodes.ts';
import { initialConfig, isPrivate } from './known-nodes.ts';
import type { Notifications } from './notifications.ts';

/** Dependencies of changes of items. */
interface ItemChangesDeps {
  readonly nodes: AccountNodes;
  readonly store: PepStore;
  readonly notifications: Pick<Notifications, 'send'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** The values of a form, by the name of their field. */
export type Fields = ReadonlyMap<string, readonly string[]>;

/** How many nodes an account may have. */
const maxNodes = 500;
/** Bytes of one payload: every contact that wants it gets it. */
export const maxPayloadBytes = 131_072;
/** Bytes of all payloads that an account keeps. */
const maxAccountBytes = 8_388_608;

/** Changes the items of nodes, for their owners and for other extensions. What notifications tell is durable. */
export class ItemChanges implements PersonalNodes {
  readonly #deps: ItemChangesDeps;

  constructor(deps: ItemChangesDeps) {
    this.#deps = deps;
  }

  async items(account: Account, node: string, selection: ItemSelection = {}): Promise<readonly NodeItem[]> {
    await this.#deps.nodes.settled(account);
    return this.#deps.nodes.of(account).has(node) ? this.#deps.store.items(account.key, node, selection) : [];
  }

  mayRead(account: Account, name: string, reader: Jid): boolean {
    const node = this.#deps.nodes.of(account).get(name);
    return node !== undefined && mayAccess(account, node, reader);
  }

  change(account: Account, name: string, make: () => NodeChange | undefined): Promise<void> {
    return this.#deps.nodes.change(account, () => this.#make(account, name, make()));
  }

  changeFrom(
    account: Account,
    name: string,
    make: (items: readonly NodeItem[]) => NodeChange | undefined,
  ): Promise<void> {
    return this.#deps.nodes.change(account, async () => {
      const exists = this.#deps.nodes.of(account).has(name);
      const items = exists ? await this.#deps.store.items(account.key, name, {}) : [];
      return this.#make(account, name, make(items));
    });
  }

  announce(account: Account, view: string, { id, payload }: NodeItem): void {
    const shown = Buffer.byteLength(payload) > maxPayloadBytes ? undefined : payload;
    this.#deps.notifications.send(account, viewNode(view), {
      content: itemsEvent(view, itemElement(id, shown)),
      subscribers: [],
    });
  }

  /** A node with the configuration of its kind, and the values of a form. Throws StanzaError. */
  newNode(account: Account, name: string, fields: Fields | undefined): PepNode {
    if (this.#deps.nodes.of(account).size >= maxNodes) throw pubsubError('resource-constraint', 'max-nodes-exceeded');
    const initial = initialConfig(name);
    const config = fields ? checkedConfig(name, configured(initial, fields)) : initial;
    return { name, config, members: [], createdAtMs: this.#deps.clock.nowMs() };
  }

  /**
   * Publishes and removes items of a node, which is created if it does not exist. Returns a function that sends the notifications. May
   * only be called in the turn of a change.
   */
  async apply(
    account: Account,
    changing: PepNode,
    { published = [], retracted = [] }: NodeChange,
    publisher?: Jid,
  ): Promise<() => void> {
    const { nodes, store, clock } = this.#deps;
    // Every change makes a new object, so that nobody takes an older item for the last one.
    const node = { ...changing };
    const { name, config } = node;
    const publishedAtMs = clock.nowMs();
    const subscribers = await explained(
      store.publish(account.key, name, {
        ...(!nodes.of(account).has(name) && { create: nodeRecord(node) }),
        ...(config.persistItems && { items: published.map((item) => ({ ...item, publishedAtMs })) }),
        removed: retracted,
        maxItems: config.maxItems === 'max' ? maxItemsOfNode : config.maxItems,
        maxBytes: maxAccountBytes,
      }),
    );
    nodes.set(account, node);
    const shown = published.map(({ id, payload }) => itemElement(id, config.deliverPayloads ? payload : undefined));
    const gone = config.notifyRetract ? retracted.map((id) => xml('retract', { id })) : [];
    return () => {
      // Some clients look at the first item of a notification only.
      for (const one of [...shown, ...gone])
        this.#deps.notifications.send(account, node, { content: itemsEvent(name, one), subscribers, publisher });
    };
  }

  async #make(account: Account, name: string, change: NodeChange | undefined): Promise<void> {
    if (!change) return;
    const node = this.#deps.nodes.of(account).get(name) ?? this.#created(account, name, change.config);
    const notify = await this.apply(account, node, change);
    notify();
  }

  #created(account: Account, name: string, config?: Partial<NodeConfig>): PepNode {
    const node = this.newNode(account, name, undefined);
    return config ? { ...node, config: { ...node.config, ...config } } : node;
  }
}

/** What a notification tells of one item. */
function itemsEvent(node: string, content: Element): Element {
  return xml('items', { node }, content);
}

/** Throws `not-acceptable` for a configuration that would show a private node to others. */
export function checkedConfig(name: string, config: NodeConfig): NodeConfig {
  if (isPrivate(name) && config.accessModel !== 'whitelist')
    throw pubsubError('not-acceptable', 'unsupported-access-model');
  return config;
}

/** Rejects with `resource-constraint` if there was no room. */
export function explained<Result>(stored: Promise<Result>): Promise<Result> {
  return stored.catch((error: unknown) => {
    if (error instanceof StorageError && error.code === 'quota')
      throw StanzaError.resourceConstraint('the nodes of this account hold too much already');
    throw error;
  });
}
