import { attribute, childElements, childNamed, type Element, textOf, xml } from '../xml/element.ts';
import { ns } from './namespaces.ts';
import { pubsubChildren, pubsubElement } from './pubsub.ts';
import type { Stanza } from './stanza.ts';

/** What a notification says about the items of a node (XEP-0060 §7.1.2, §7.2.2, §8.5). */
export interface ItemsEvent {
  readonly node: string;
  /** All items were removed before those that are published. */
  readonly purged: boolean;
  readonly published: readonly string[];
  readonly retracted: readonly string[];
}

/** A part of the items of a node (XEP-0060 §6.5.4). */
interface ItemsPage {
  readonly ids: readonly string[];
  /** The id that the next page begins after; absent for the last page, and if the service knows no pages. */
  readonly after?: string | undefined;
  /** How many items the node has, if the service says so. */
  readonly count?: number | undefined;
}

/** The content of a request for a subscription to a node (XEP-0060 §6.1). */
export function subscribeElement(node: string, jid: string): Element {
  return pubsubElement(xml('subscribe', { node, jid }));
}

/** The content of a request that ends it (XEP-0060 §6.2). */
export function unsubscribeElement(node: string, jid: string): Element {
  return pubsubElement(xml('unsubscribe', { node, jid }));
}

/** The content of a request for the items of a node, a page at a time. */
export function itemsElement(
  node: string,
  { max, after }: { readonly max: number; readonly after?: string | undefined },
) {
  const set = xml(
    'set',
    { xmlns: ns.resultSet },
    xml('max', {}, String(max)),
    after === undefined ? undefined : xml('after', {}, after),
  );
  return pubsubElement(xml('items', { node }), set);
}

/** The ids in an answer to {@link itemsElement}. */
export function readItemsPage({ payload }: Stanza): ItemsPage {
  const child = payload.find('pubsub', ns.pubsub);
  const pubsub = child && payload.element(child);
  const items = pubsub && childNamed(pubsub, 'items', ns.pubsub);
  const set = pubsub && childNamed(pubsub, 'set', ns.resultSet);
  const last = set && childNamed(set, 'last', ns.resultSet);
  const count = set && childNamed(set, 'count', ns.resultSet);
  return {
    ids: items ? idsIn(items, 'item') : [],
    after: last && textOf(last),
    count: count && Number(textOf(count)),
  };
}

/** Reads a notification; undefined if the message is something else. */
export function readItemsEvent({ payload }: Stanza): ItemsEvent | undefined {
  const child = payload.find('event', ns.pubsubEvent);
  const [about] = child ? childElements(payload.element(child)) : [];
  const node = about && attribute(about, 'node');
  if (!about || !node) return undefined;
  const purged = about.getName() === 'purge';
  if (!purged && about.getName() !== 'items') return undefined;
  return { node, purged, published: idsIn(about, 'item'), retracted: idsIn(about, 'retract') };
}

function idsIn(parent: Element, name: string): string[] {
  return pubsubChildren(parent, name).flatMap((item) => attribute(item, 'id') ?? []);
}
