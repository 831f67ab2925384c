import { attribute, childElements, type Element, nsOf, xml } from '../xml/element.ts';
import { escapeAttribute } from '../xml/escape.ts';
import { parseElement } from '../xml/parse-element.ts';
import { Payload } from '../xml/payload.ts';
import { serialize } from '../xml/serialize.ts';
import { ReceivedForm } from './data-form.ts';
import { ns } from './namespaces.ts';
import { type StanzaCondition, StanzaError, type StanzaErrorType } from './stanza-error.ts';

/** The conditions of `http://jabber.org/protocol/pubsub#errors` that the server uses. */
type PubsubCondition =
  | 'closed-node'
  | 'invalid-jid'
  | 'invalid-payload'
  | 'item-required'
  | 'max-nodes-exceeded'
  | 'nodeid-required'
  | 'not-in-roster-group'
  | 'not-subscribed'
  | 'payload-required'
  | 'payload-too-big'
  | 'precondition-not-met'
  | 'too-many-subscriptions'
  | 'unsupported-access-model';

/** An error with a condition of its own for publish-subscribe (XEP-0060 §11). */
export function pubsubError(condition: StanzaCondition, detail: PubsubCondition, type?: StanzaErrorType): StanzaError {
  return new StanzaError(condition, { type, extra: xml(detail, { xmlns: ns.pubsubErrors }) });
}

/** The error for a feature that the server does not have. */
export function unsupportedPubsub(feature: string): StanzaError {
  const extra = xml('unsupported', { xmlns: ns.pubsubErrors, feature });
  return StanzaError.featureNotImplemented(undefined, { extra });
}

/** An item as a client publishes it (XEP-0060 §7.1.1). */
interface PublishedItem {
  /** Absent if the server has to choose one. */
  readonly id: string | undefined;
  /** The payload, as XML. */
  readonly payload: string;
}

/** Bytes of the name of a node and of the id of an item, as those of a part of a JID. */
const maxNameBytes = 1023;

/** The name of the node that an element is about. Throws `bad-request` without one. */
export function nodeOf(element: Element): string {
  const node = attribute(element, 'node');
  if (!node) throw pubsubError('bad-request', 'nodeid-required');
  return checkedName(node);
}

/** A name that is not too long. Throws `not-acceptable`. */
function checkedName(name: string): string {
  if (Buffer.byteLength(name) > maxNameBytes) throw StanzaError.notAcceptable('the name is too long');
  return name;
}

/** The one item of a `<publish/>`. Throws `bad-request`. */
export function readPublishedItem(publish: Element): PublishedItem {
  const [item, ...more] = pubsubChildren(publish, 'item');
  if (!item) throw pubsubError('bad-request', 'item-required');
  if (more.length > 0) throw StanzaError.badRequest('a request publishes one item');
  const [payload, ...rest] = childElements(item);
  if (!payload) throw pubsubError('bad-request', 'payload-required');
  if (rest.length > 0) throw pubsubError('bad-request', 'invalid-payload');
  const id = attribute(item, 'id');
  return { id: id ? checkedName(id) : undefined, payload: serialize(payload) };
}

/** The ids of the `<item/>`s in an element. Throws `bad-request` for one without an id. */
export function readItemIds(parent: Element): string[] {
  return pubsubChildren(parent, 'item').map((item) => {
    const id = attribute(item, 'id');
    if (!id) throw pubsubError('bad-request', 'item-required');
    return id;
  });
}

/** The children with a name that belong to the request itself. */
export function pubsubChildren(parent: Element, name: string): Element[] {
  return childElements(parent).filter((child) => child.getName() === name && nsOf(child) === nsOf(parent));
}

/** The form in a `<configure/>` or `<publish-options/>`; nothing if it has none or is to be forgotten. Throws `bad-request`. */
export function readPubsubForm(parent: Element, formType: string): ReadonlyMap<string, readonly string[]> | undefined {
  const [form, ...more] = childElements(parent).filter((child) => nsOf(child) === ns.dataForm);
  if (more.length > 0) throw StanzaError.badRequest('one form is enough');
  const received = form && ReceivedForm.fromElement(form);
  if (!received || received.type === 'cancel') return undefined;
  if (received.type !== 'submit') throw StanzaError.badRequest('a form that is sent has the type submit');
  if (received.formType !== formType) throw StanzaError.badRequest(`FORM_TYPE is not ${formType}`);
  return received.fields;
}

/** An `<item/>` for an event or an answer, with its payload if that is wanted. */
export function itemElement(id: string, payload?: string): Element {
  return xml('item', { id }, payload === undefined ? undefined : parseElement(payload));
}

/**
 * The payload of a notification of one item (XEP-0060 §7.1.2). The payload of the item, if it is wanted, is copied as XML: a client that comes
 * online is sent many.
 */
export function itemEventPayload(node: string, id: string, payload?: string): Payload {
  const item = payload === undefined ? '/>' : `>${inEvent(payload)}</item>`;
  const items = `<items node="${escapeAttribute(node)}"><item id="${escapeAttribute(id)}"${item}</items>`;
  return Payload.ofWritten('event', ns.pubsubEvent, `<event xmlns="${ns.pubsubEvent}">${items}</event>`);
}

/** The beginning of an element that declares its default namespace, as {@link serialize} writes it: the element is the same everywhere. */
const declared = /^<[^\s"'<>]+(?: [^\s"'<>=]+="[^"<]*")*? xmlns="/;

/** An element as it is written inside an event. */
function inEvent(element: string): string {
  return declared.test(element) ? element : serialize(parseElement(element), ns.pubsubEvent);
}

/** The `<event/>` of a notification (XEP-0060 §7.1.2). */
export function eventElement(...content: readonly Element[]): Element {
  return xml('event', { xmlns: ns.pubsubEvent }, ...content);
}

/** The `<pubsub/>` of an answer. */
export function pubsubElement(...content: readonly Element[]): Element {
  return xml('pubsub', { xmlns: ns.pubsub }, ...content);
}

/** The `<pubsub/>` of an answer to an owner. */
export function pubsubOwnerElement(content: Element): Element {
  return xml('pubsub', { xmlns: ns.pubsubOwner }, content);
}
