import { attribute, childElements, type Element, nsOf, xml } from '../xml/element.ts';
import { type DataForm, formElement, ReceivedForm } from './data-form.ts';
import type { Jid } from './jid.ts';
import { ns } from './namespaces.ts';

/** An identity of an entity, XEP-0030 §3.1. */
export interface Identity {
  readonly category: string;
  readonly type: string;
  readonly name?: string;
  readonly lang?: string;
}

/** The identities and features of an entity, and forms with more (XEP-0128 §2). */
export interface Capabilities {
  readonly identities: readonly Identity[];
  readonly features: Iterable<string>;
  readonly forms?: readonly DataForm[];
}

/** An entity, or a node of one, that is an item of another, XEP-0030 §4.1. */
export interface DiscoItem {
  readonly jid: Jid | string;
  readonly node?: string;
  readonly name?: string;
}

function identityElement({ category, type, name, lang }: Identity): Element {
  return xml('identity', { category, type, name, 'xml:lang': lang });
}

/** The disco#info result; `node` repeats the one of the request, XEP-0030 §3.1. */
export function discoInfoElement(capabilities: Capabilities, node?: string): Element {
  const features = new Set(capabilities.features);
  return xml(
    'query',
    { xmlns: ns.discoInfo, node },
    ...capabilities.identities.map(identityElement),
    ...Array.from(features, (feature) => xml('feature', { var: feature })),
    ...(capabilities.forms ?? []).map(formElement),
  );
}

/** The disco#items result; `node` repeats the one of the request, XEP-0030 §4.1. `set` is about the page that the items are (XEP-0059). */
export function discoItemsElement(items: Iterable<DiscoItem>, node?: string, set?: Element): Element {
  return xml(
    'query',
    { xmlns: ns.discoItems, node },
    ...Array.from(items, (item) => xml('item', { jid: item.jid.toString(), node: item.node, name: item.name })),
    set,
  );
}

/** Reads the `<query/>` of a disco#info result. Throws `bad-request` if a form in it has a fault. */
export function readDiscoInfo(query: Element): Capabilities {
  const children = childElements(query);
  const named = (name: string, namespace: string) =>
    children.filter((child) => child.getName() === name && nsOf(child) === namespace);
  return {
    identities: named('identity', ns.discoInfo).map(readIdentity),
    features: named('feature', ns.discoInfo).map((feature) => attribute(feature, 'var') ?? ''),
    forms: named('x', ns.dataForm).map(readForm),
  };
}

function readIdentity(element: Element): Identity {
  const [category = '', type = '', name = '', lang = ''] = ['category', 'type', 'name', 'xml:lang'].map((one) =>
    attribute(element, one),
  );
  return { category, type, name, lang };
}

function readForm(element: Element): DataForm {
  const { type, formType, fields } = ReceivedForm.fromElement(element);
  const others = [...fields].filter(([name]) => name !== 'FORM_TYPE');
  const read = others.map(([name, values]) => ({ var: name, values }));
  return { type, ...(formType !== undefined && { formType }), fields: read };
}
