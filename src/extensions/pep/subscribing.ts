import type { Jid } from '../../protocol/jid.ts';
import { jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import { pubsubElement, pubsubError } from '../../protocol/pubsub.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { IqRequest } from '../../routing/extension.ts';
import { maySeePresence } from '../../routing/visibility.ts';
import type { PepStore } from '../../storage/pep.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Log } from '../../support/log.ts';
import { attribute, type Element, xml } from '../../xml/element.ts';
import type { LastItems } from './last-items.ts';
import type { NodeHooks } from './node-hooks.ts';
import type { Reading } from './reading.ts';
import type { RemoteResources } from './remote-resources.ts';

/** Dependencies of explicit subscriptions. */
interface SubscribingDeps {
  readonly reading: Pick<Reading, 'readable'>;
  readonly hooks: Pick<NodeHooks, 'view'>;
  readonly lastItems: LastItems;
  readonly remotes: RemoteResources;
  readonly store: Pick<PepStore, 'subscriptions' | 'subscribe' | 'unsubscribe' | 'unsubscribeAll'>;
  readonly isLocalDomain: (domain: string) => boolean;
  readonly log: Log;
}

/** How many subscribers a node may have. */
const maxSubscribers = 1000;
/** Errors that say that the addressee of a notification is not there any more. */
const departed: ReadonlySet<string> = new Set(['item-not-found', 'gone']);

/** Subscriptions that somebody has asked for, as strangers do who want the events of an open node (XEP-0060 §6.1, §6.2). */
export class Subscribing {
  readonly #deps: SubscribingDeps;

  constructor(deps: SubscribingDeps) {
    this.#deps = deps;
  }

  async subscribe(request: IqRequest, element: Element): Promise<Element> {
    const { account, node } = this.#readable(request, element);
    const jid = subscriberIn(element, request.from);
    await this.#deps.store.subscribe(account.key, node.name, jid.toString(), maxSubscribers).catch((error: unknown) => {
      if (!(error instanceof StorageError) || error.code !== 'quota') throw error;
      throw pubsubError('policy-violation', 'too-many-subscriptions', 'wait');
    });
    const { lastItems } = this.#deps;
    request.afterwards(() => lastItems.inBackground(lastItems.subscribed(account, node, jid)));
    return pubsubElement(xml('subscription', { node: node.name, jid: jid.toString(), subscription: 'subscribed' }));
  }

  async unsubscribe(request: IqRequest, element: Element): Promise<undefined> {
    const { account, node } = this.#readable(request, element);
    const jid = subscriberIn(element, request.from);
    const was = await this.#deps.store.unsubscribe(account.key, node.name, jid.toString());
    if (!was) throw pubsubError('unexpected-request', 'not-subscribed', 'cancel');
    return undefined;
  }

  /** The subscriptions of the requester (XEP-0060 §5.6). A stranger without any learns nothing. */
  async list({ account, from }: IqRequest, element: Element): Promise<Element> {
    if (!account) throw StanzaError.serviceUnavailable();
    const asked = attribute(element, 'node');
    const all = await this.#deps.store.subscriptions(account.key, from.bare().toString());
    const found = all.filter(({ node }) => asked === undefined || asked === node);
    if (found.length === 0 && !maySeePresence(account, from)) throw StanzaError.serviceUnavailable();
    const children = found.map((one) => xml('subscription', { ...one, subscription: 'subscribed' }));
    return pubsubElement(xml('subscriptions', { node: asked }, ...children));
  }

  /** Views are their owner's, who needs no subscription. */
  #readable(request: IqRequest, element: Element): ReturnType<Reading['readable']> {
    const found = this.#deps.reading.readable(request, element);
    if (this.#deps.hooks.view(found.node.name)) throw StanzaError.notAllowed('the owner of the node is subscribed');
    return found;
  }

  /** An error that answers a notification. It ends the subscription of an address that is gone (XEP-0060 §12.4). */
  bounced({ to, payload }: Stanza, from: Jid): void {
    if (!to?.isBare || !this.#deps.isLocalDomain(to.domain)) return;
    this.#deps.remotes.forget(to.toString(), from);
    const child = payload.find('error', ns.client);
    if (!child || !departed.has(StanzaError.fromElement(payload.element(child)).condition)) return;
    this.#deps.store
      .unsubscribeAll(from.toString(), to.toString())
      .catch((error: unknown) => this.#deps.log.error({ err: error }, 'a subscription could not be ended'));
  }
}

/** The address that is subscribed. Throws `bad-request` if it is not one of the requester's (XEP-0060 §6.1.3.1). */
function subscriberIn(element: Element, requester: Jid): Jid {
  const jid = jidOrNothing(attribute(element, 'jid'));
  if (!jid?.bare().equals(requester.bare())) throw pubsubError('bad-request', 'invalid-jid');
  return jid;
}
