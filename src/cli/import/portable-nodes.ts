import { maxMemberBytes } from '../../extensions/pep/affiliations.ts';
import { initialConfig, isPrivate } from '../../extensions/pep/known-nodes.ts';
import { ReceivedForm } from '../../protocol/data-form.ts';
import { jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import { configured, type NodeConfig } from '../../protocol/pubsub-config.ts';
import { randomId } from '../../protocol/random-id.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { PortableNode } from '../../web/control/portable-account.ts';
import { attribute, childElements, type Element, nsOf } from '../../xml/element.ts';
import { serialize } from '../../xml/serialize.ts';
import { LossError } from './loss-error.ts';

/** A node whose parts have been read so far. */
interface ReadNode {
  config: NodeConfig | undefined;
  readonly items: Map<string, string>;
  readonly subscribers: Set<string>;
  readonly members: Set<string>;
}

/** Collects the nodes of an account (XEP-0227 §4.10). Their configuration and their items are in different elements. */
export class PortableNodes {
  readonly #nodes = new Map<string, ReadNode>();
  readonly #lose: (what: string) => void;

  constructor(lose: (what: string) => void) {
    this.#lose = lose;
  }

  /** Reads a child of `<pubsub/>`, in the namespace of the owner or in the other one. Throws `LossError`. */
  take(child: Element): void {
    const name = attribute(child, 'node');
    if (!name) throw new LossError('no node');
    const node = this.#node(name);
    switch (`${nsOf(child)} ${child.getName()}`) {
      case `${ns.pubsubOwner} configure`:
        node.config = this.#config(name, child);
        break;
      case `${ns.pubsubOwner} subscriptions`:
        for (const one of childElements(child)) this.#takeSubscription(node, name, one);
        break;
      case `${ns.pubsubOwner} affiliations`:
        for (const one of childElements(child)) this.#takeAffiliation(node, name, one);
        break;
      case `${ns.pubsub} items`:
        for (const item of childElements(child)) this.#takeItem(node, name, item);
        break;
      default:
        throw new LossError(`unknown, of the node ${name}`);
    }
  }

  /** The nodes that have been read. A node without a configuration keeps all of its items. */
  get nodes(): readonly PortableNode[] {
    return Array.from(this.#nodes, ([name, { config, items, subscribers, members }]) => ({
      name,
      config: JSON.stringify({
        ...(config ?? { ...initialConfig(name), maxItems: 'max' }),
        ...(members.size > 0 && { members: [...members].sort() }),
      }),
      items: Array.from(items, ([id, payload]) => ({ id, payload })),
      subscribers: [...subscribers],
    }));
  }

  /** The last item of a node that everybody may read. */
  openItem(name: string): string | undefined {
    const { config, items } = this.#nodes.get(name) ?? {};
    return config?.accessModel === 'open' ? [...(items?.values() ?? [])].at(-1) : undefined;
  }

  #node(name: string): ReadNode {
    let node = this.#nodes.get(name);
    if (node === undefined) {
      node = { config: undefined, items: new Map(), subscribers: new Set(), members: new Set() };
      this.#nodes.set(name, node);
    }
    return node;
  }

  /** A field that has no meaning here is left out. A node with an unknown access model is open to nobody. */
  #config(name: string, configure: Element): NodeConfig {
    const form = childElements(configure).find((child) => child.getName() === 'x' && nsOf(child) === ns.dataForm);
    let config = initialConfig(name);
    if (form === undefined) return config;
    for (const [field, values] of ReceivedForm.fromElement(form).fields) {
      try {
        if (values.length > 0) config = configured(config, new Map([[field, values]]));
      } catch (error) {
        if (!(error instanceof StanzaError)) throw error;
        this.#lose(`${field} ${values.join(', ')} of the node ${name}`);
        if (field === 'pubsub#access_model') config = { ...config, accessModel: 'whitelist' };
      }
    }
    return config;
  }

  #takeSubscription(node: ReadNode, name: string, subscription: Element): void {
    const jid = jidOrNothing(attribute(subscription, 'jid'));
    // Prosody 0.12 calls the attribute 'subscribed'.
    const state = attribute(subscription, 'subscription') ?? attribute(subscription, 'subscribed');
    if (jid !== undefined && state === 'subscribed') node.subscribers.add(jid.toString());
    else this.#lose(`a subscription to the node ${name}`);
  }

  /** The owner of the account is the owner of the node. Others can be members, except of private nodes. */
  #takeAffiliation({ members }: ReadNode, name: string, element: Element): void {
    const affiliation = attribute(element, 'affiliation');
    if (affiliation === 'owner' || affiliation === 'none') return;
    const member = jidOrNothing(attribute(element, 'jid'))?.bare().toString();
    const fits = Buffer.byteLength([...members, member].join()) <= maxMemberBytes;
    if (affiliation === 'member' && member !== undefined && fits && !isPrivate(name)) members.add(member);
    else this.#lose(`${attribute(element, 'jid')} as ${affiliation} of the node ${name}`);
  }

  #takeItem(node: ReadNode, name: string, item: Element): void {
    const [payload] = childElements(item);
    if (item.getName() !== 'item' || payload === undefined) this.#lose(`an item without content of the node ${name}`);
    else node.items.set(attribute(item, 'id') ?? randomId(), serialize(payload));
  }
}
