import { formElement } from '../../protocol/data-form.ts';
import { ns } from '../../protocol/namespaces.ts';
import {
  itemElement,
  nodeOf,
  pubsubChildren,
  pubsubElement,
  pubsubError,
  readItemIds,
  readPublishedItem,
  readPubsubForm,
  unsupportedPubsub,
} from '../../protocol/pubsub.ts';
import {
  checkPreconditionNames,
  configForm,
  configured,
  maxItemsOfNode,
  meetsPreconditions,
  type NodeConfig,
} from '../../protocol/pubsub-config.ts';
import { randomId } from '../../protocol/random-id.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { IqRequest } from '../../routing/extension.ts';
import type { PepStore } from '../../storage/pep.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Clock } from '../../support/clock.ts';
import { attribute, type Element, xml } from '../../xml/element.ts';
import { type AccountNodes, nodeRecord, type PepNode } from './account-nodes.ts';
import { initialConfig, isPrivate } from './known-nodes.ts';
import type { Notifications } from './notifications.ts';

/** Dependencies of publishing. */
interface PublishingDeps {
  readonly nodes: AccountNodes;
  readonly store: PepStore;
  readonly notifications: Pick<Notifications, 'send'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** A request of the owner of an account. */
export type OwnRequest = Pick<IqRequest, 'payload' | 'afterwards'> & { readonly account: Account };

type Fields = ReadonlyMap<string, readonly string[]>;

/** How many nodes an account may have. */
const maxNodes = 500;
/** Bytes of one payload: every contact that wants it gets it. */
const maxPayloadBytes = 131_072;
/** Bytes of all payloads that an account keeps. */
const maxAccountBytes = 8_388_608;

/** Carries out what the owner of an account does with its nodes. What clients are told of is durable. */
export class Publishing {
  readonly #deps: PublishingDeps;

  constructor(deps: PublishingDeps) {
    this.#deps = deps;
  }

  /** XEP-0060 §7.1, with publish options and automatic creation. */
  publish(request: OwnRequest, publish: Element): Promise<Element> {
    const { account, payload, afterwards } = request;
    const name = nodeOf(publish);
    const item = readPublishedItem(publish);
    if (Buffer.byteLength(item.payload) > maxPayloadBytes) throw pubsubError('not-acceptable', 'payload-too-big');
    const options = publishOptions(payload);
    return this.#deps.nodes.change(account, async () => {
      const existing = this.#deps.nodes.of(account).get(name);
      if (existing && options && !meetsPreconditions(existing.config, options))
        throw pubsubError('conflict', 'precondition-not-met');
      const node = existing ? { ...existing } : this.#newNode(account, name, options);
      const { config } = node;
      const id = item.id ?? randomId();
      const kept = { id, publishedAtMs: this.#deps.clock.nowMs(), payload: item.payload };
      const subscribers = await explained(
        this.#deps.store.publish(account.key, name, {
          ...(!existing && { create: nodeRecord(node) }),
          ...(config.persistItems && { item: kept }),
          maxItems: config.maxItems === 'max' ? maxItemsOfNode : config.maxItems,
          maxBytes: maxAccountBytes,
        }),
      );
      this.#deps.nodes.set(account, node);
      const shown = itemElement(id, config.deliverPayloads ? item.payload : undefined);
      const event = xml('items', { node: name }, shown);
      afterwards(() => this.#deps.notifications.send(account, node, event, subscribers));
      return pubsubElement(xml('publish', { node: name }, xml('item', { id })));
    });
  }

  /** XEP-0060 §7.2. */
  retract({ account, afterwards }: OwnRequest, retract: Element): Promise<undefined> {
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
      const event = xml('items', { node: name }, xml('retract', { id }));
      if (notify || node.config.notifyRetract)
        afterwards(() => this.#deps.notifications.send(account, node, event, subscribers));
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
      if (this.#deps.nodes.of(account).has(name)) throw StanzaError.conflict();
      const node = this.#newNode(account, name, fields);
      await explained(this.#deps.store.create(account.key, nodeRecord(node)));
      this.#deps.nodes.set(account, node);
      return undefined;
    });
  }

  /** XEP-0060 §8.2: the form with the configuration. */
  configuration({ account }: OwnRequest, configure: Element): Element {
    const { name, config } = this.#existing(account, nodeOf(configure));
    return ownerElement(xml('configure', { node: name }, formElement(configForm(config, 'form'))));
  }

  /** XEP-0060 §8.3: the form with the configuration that new nodes get. */
  defaultConfiguration(): Element {
    return ownerElement(xml('default', {}, formElement(configForm(initialConfig(''), 'form'))));
  }

  /** XEP-0060 §8.2.4. */
  async configure({ account, afterwards }: OwnRequest, configure: Element): Promise<undefined> {
    const name = nodeOf(configure);
    const fields = readPubsubForm(configure, ns.pubsubNodeConfig);
    if (!fields) return undefined;
    return this.#deps.nodes.change(account, async () => {
      const before = this.#existing(account, name);
      const node = { ...before, config: checkedConfig(name, configured(before.config, fields)) };
      await this.#deps.store.configure(account.key, name, nodeRecord(node).config);
      this.#deps.nodes.set(account, node);
      if (!node.config.notifyConfig) return undefined;
      const subscribers = await this.#deps.store.subscribers(account.key, name);
      const form = node.config.deliverPayloads ? formElement(configForm(node.config, 'result')) : undefined;
      const event = xml('configuration', { node: name }, form);
      afterwards(() => this.#deps.notifications.send(account, node, event, subscribers));
      return undefined;
    });
  }

  /** XEP-0060 §8.4. */
  delete({ account, afterwards }: OwnRequest, element: Element): Promise<undefined> {
    const name = nodeOf(element);
    return this.#deps.nodes.change(account, async () => {
      const node = this.#existing(account, name);
      const subscribers = await this.#deps.store.remove(account.key, name);
      this.#deps.nodes.delete(account, name);
      const event = xml('delete', { node: name });
      if (node.config.notifyDelete) afterwards(() => this.#deps.notifications.send(account, node, event, subscribers));
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
      const event = xml('purge', { node: name });
      afterwards(() => this.#deps.notifications.send(account, node, event, subscribers));
      return undefined;
    });
  }

  #existing(account: Account, name: string): PepNode {
    const node = this.#deps.nodes.of(account).get(name);
    if (!node) throw StanzaError.itemNotFound();
    return node;
  }

  /** A node that keeps items. */
  #persistent(account: Account, name: string): PepNode {
    const node = this.#existing(account, name);
    if (!node.config.persistItems) throw unsupportedPubsub('persistent-items');
    return node;
  }

  #newNode(account: Account, name: string, fields: Fields | undefined): PepNode {
    if (this.#deps.nodes.of(account).size >= maxNodes) throw pubsubError('resource-constraint', 'max-nodes-exceeded');
    const initial = initialConfig(name);
    const config = fields ? checkedConfig(name, configured(initial, fields)) : initial;
    return { name, config, createdAtMs: this.#deps.clock.nowMs() };
  }
}

function publishOptions(pubsub: Element): Fields | undefined {
  const [options] = pubsubChildren(pubsub, 'publish-options');
  const fields = options && readPubsubForm(options, ns.pubsubPublishOptions);
  if (fields) checkPreconditionNames(fields);
  return fields;
}

/** Throws `not-acceptable` for a configuration that would show a private node to others. */
function checkedConfig(name: string, config: NodeConfig): NodeConfig {
  if (isPrivate(name) && config.accessModel !== 'whitelist')
    throw pubsubError('not-acceptable', 'unsupported-access-model');
  return config;
}

function ownerElement(content: Element): Element {
  return xml('pubsub', { xmlns: ns.pubsubOwner }, content);
}

function explained<Result>(stored: Promise<Result>): Promise<Result> {
  return stored.catch((error: unknown) => {
    if (error instanceof StorageError && error.code === 'quota')
      throw StanzaError.resourceConstraint('the nodes of this account hold too much already');
    throw error;
  });
}
