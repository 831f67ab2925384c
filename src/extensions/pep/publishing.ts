import { formElement } from '../../protocol/data-form.ts';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import {
  nodeOf,
  pubsubChildren,
  pubsubElement,
  pubsubError,
  pubsubOwnerElement,
  readItemIds,
  readPublishedItem,
  readPubsubForm,
  unsupportedPubsub,
} from '../../protocol/pubsub.ts';
import { checkPreconditionNames, configForm, configured, meetsPreconditions } from '../../protocol/pubsub-config.ts';
import { randomId } from '../../protocol/random-id.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { IqRequest } from '../../routing/extension.ts';
import type { NodeView } from '../../routing/personal-nodes.ts';
import type { PepStore } from '../../storage/pep.ts';
import { attribute, type Element, xml } from '../../xml/element.ts';
import { type AccountNodes, nodeRecord, type PepNode } from './account-nodes.ts';
import { checkedConfig, explained, type Fields, type ItemChanges, maxPayloadBytes } from './item-changes.ts';
import { initialConfig } from './known-nodes.ts';
import type { NodeHooks } from './node-hooks.ts';
import type { Notifications } from './notifications.ts';

/** Dependencies of publishing. */
interface PublishingDeps {
  readonly nodes: AccountNodes;
  readonly store: PepStore;
  readonly hooks: Pick<NodeHooks, 'view'>;
  readonly changes: Pick<ItemChanges, 'newNode' | 'apply'>;
  readonly notifications: Pick<Notifications, 'send'>;
}

/** A request of the owner of an account. */
export interface OwnRequest extends Pick<IqRequest, 'payload' | 'afterwards'> {
  readonly account: Account;
  /** The resource that sends it, if contacts know of that resource. */
  readonly publisher: Jid | undefined;
}

/** What the owner publishes to a view. */
interface ViewPublication {
  readonly name: string;
  readonly view: NodeView;
  readonly options: Fields | undefined;
  readonly payload: string;
}

/** The preconditions that are checked for a view. The others are about keeping items, which a view does not. */
const fieldsOfViews: ReadonlySet<string> = new Set(['pubsub#access_model', 'pubsub#persist_items']);

/** Carries out what the owner of an account does with its nodes. What clients are told of is durable. */
export class Publishing {
  readonly #deps: PublishingDeps;

  constructor(deps: PublishingDeps) {
    this.#deps = deps;
  }

  /** XEP-0060 §7.1, with publish options and automatic creation. */
  publish(request: OwnRequest, publish: Element): Promise<Element> {
    const { account, payload: pubsub, publisher, afterwards } = request;
    const name = nodeOf(publish);
    const item = readPublishedItem(publish);
    if (Buffer.byteLength(item.payload) > maxPayloadBytes) throw pubsubError('not-acceptable', 'payload-too-big');
    const options = publishOptions(pubsub);
    const view = this.#deps.hooks.view(name);
    if (view) return this.#publishToView(account, { name, view, options, payload: item.payload });
    return this.#deps.nodes.change(account, async () => {
      const existing = this.#deps.nodes.of(account).get(name);
      if (existing) checkPreconditions(existing, options);
      const id = item.id ?? randomId();
      const node = existing ?? this.#deps.changes.newNode(account, name, options);
      const change = { published: [{ id, payload: item.payload }] };
      const notify = await this.#deps.changes.apply(account, node, change, publisher);
      afterwards(notify);
      return publishedElement(name, id);
    });
  }

  async #publishToView(account: Account, { name, view, options, payload }: ViewPublication): Promise<Element> {
    const asked = options && new Map([...options].filter(([field]) => fieldsOfViews.has(field)));
    checkPreconditions(this.#existing(account, name), asked);
    return publishedElement(name, await view.write(account, payload));
  }

  /** XEP-0060 §7.2. */
  retract({ account, publisher, afterwards }: OwnRequest, retract: Element): Promise<undefined> {
    const name = nodeOf(retract);
    const [id, ...more] = readItemIds(retract);
    if (id === undefined) throw pubsubError('bad-request', 'item-required');
    if (more.length > 0) throw StanzaError.badRequest('a request retracts one item');
    const notify = ['1', 'true'].includes(attribute(retract, 'notify') ?? '');
    return this.#deps.nodes.change(account, async () => {
      const node = this.#persistent(account, name);
      const subscribers = await this.#deps.store.retract(account.key, name, id);
      if (!subscribers) throw StanzaError.itemNotFound();
      this.#deps.nodes.set(account, { ...node });
      const content = xml('items', { node: name }, xml('retract', { id }));
      if (notify || node.config.notifyRetract)
        afterwards(() => this.#deps.notifications.send(account, node, { content, subscribers, publisher }));
      return undefined;
    });
  }

  /** XEP-0060 §8.1, with a configuration if there is one. */
  create({ account, payload }: OwnRequest, create: Element): Promise<undefined> {
    if (!attribute(create, 'node')) throw pubsubError('not-acceptable', 'nodeid-required');
    const name = nodeOf(create);
    const [configure] = pubsubChildren(payload, 'configure');
    if (configure && attribute(configure, 'node') !== undefined)
      throw StanzaError.badRequest('the new node is named in <create/>');
    const fields = configure && readPubsubForm(configure, ns.pubsubNodeConfig);
    return this.#deps.nodes.change(account, async () => {
      if (this.#deps.nodes.find(account, name)) throw StanzaError.conflict();
      const node = this.#deps.changes.newNode(account, name, fields);
      await explained(this.#deps.store.create(account.key, nodeRecord(node)));
      this.#deps.nodes.set(account, node);
      return undefined;
    });
  }

  /** XEP-0060 §8.2: the form with the configuration. */
  configuration({ account }: OwnRequest, configure: Element): Element {
    const { name, config } = this.#existing(account, nodeOf(configure));
    return pubsubOwnerElement(xml('configure', { node: name }, formElement(configForm(config, 'form'))));
  }

  /** XEP-0060 §8.3: the form with the configuration that new nodes get. */
  defaultConfiguration(): Element {
    return pubsubOwnerElement(xml('default', {}, formElement(configForm(initialConfig(''), 'form'))));
  }

  /** XEP-0060 §8.2.4. */
  async configure({ account, afterwards }: OwnRequest, configure: Element): Promise<undefined> {
    const name = nodeOf(configure);
    const fields = readPubsubForm(configure, ns.pubsubNodeConfig);
    if (!fields) return undefined;
    return this.#deps.nodes.change(account, async () => {
      const before = this.#changeable(account, name);
      const node = { ...before, config: checkedConfig(name, configured(before.config, fields)) };
      await this.#deps.store.configure(account.key, name, nodeRecord(node).config);
      this.#deps.nodes.configure(account, node);
      if (!node.config.notifyConfig) return undefined;
      const subscribers = await this.#deps.store.subscribers(account.key, name);
      const form = node.config.deliverPayloads ? formElement(configForm(node.config, 'result')) : undefined;
      const content = xml('configuration', { node: name }, form);
      afterwards(() => this.#deps.notifications.send(account, node, { content, subscribers }));
      return undefined;
    });
  }

  /** XEP-0060 §8.4. */
  delete({ account, afterwards }: OwnRequest, element: Element): Promise<undefined> {
    const name = nodeOf(element);
    return this.#deps.nodes.change(account, async () => {
      const node = this.#changeable(account, name);
      const subscribers = await this.#deps.store.remove(account.key, name);
      this.#deps.nodes.delete(account, name);
      const content = xml('delete', { node: name });
      if (node.config.notifyDelete)
        afterwards(() => this.#deps.notifications.send(account, node, { content, subscribers }));
      return undefined;
    });
  }

  /** XEP-0060 §8.5. */
  purge({ account, afterwards }: OwnRequest, element: Element): Promise<undefined> {
    const name = nodeOf(element);
    return this.#deps.nodes.change(account, async () => {
      const node = this.#persistent(account, name);
      const subscribers = await this.#deps.store.purge(account.key, name);
      this.#deps.nodes.set(account, { ...node });
      const content = xml('purge', { node: name });
      afterwards(() => this.#deps.notifications.send(account, node, { content, subscribers }));
      return undefined;
    });
  }

  #existing(account: Account, name: string): PepNode {
    const node = this.#deps.nodes.find(account, name);
    if (!node) throw StanzaError.itemNotFound();
    return node;
  }

  /** A node that is no view. */
  #changeable(account: Account, name: string): PepNode {
    if (this.#deps.hooks.view(name)) throw StanzaError.notAllowed('the node shows the items of another one');
    return this.#existing(account, name);
  }

  /** A node that keeps items. */
  #persistent(account: Account, name: string): PepNode {
    const node = this.#changeable(account, name);
    if (!node.config.persistItems) throw unsupportedPubsub('persistent-items');
    return node;
  }
}

function checkPreconditions({ config }: PepNode, options: Fields | undefined): void {
  if (options && !meetsPreconditions(config, options)) throw pubsubError('conflict', 'precondition-not-met');
}

function publishedElement(node: string, id: string): Element {
  return pubsubElement(xml('publish', { node }, xml('item', { id })));
}

function publishOptions(pubsub: Element): Fields | undefined {
  const [options] = pubsubChildren(pubsub, 'publish-options');
  const fields = options && readPubsubForm(options, ns.pubsubPublishOptions);
  if (fields) checkPreconditionNames(fields);
  return fields;
}
