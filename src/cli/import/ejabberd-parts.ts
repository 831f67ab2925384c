import { formatDateTime } from '../../protocol/date-time.ts';
import { ns } from '../../protocol/namespaces.ts';
import { Element, xml } from '../../xml/element.ts';
import type { EjabberdRecord } from './ejabberd-tables.ts';
import { type ErlangTerm, itemsOf, nameOf, Tuple } from './erlang-terms.ts';
import { LossError } from './loss-error.ts';

/** An element as ejabberd keeps it. Throws LossError if it is none. */
export function elementOf(term: ErlangTerm): Element {
  const [, name, attributes, children] = term instanceof Tuple && isElement(term) ? term.items : [];
  if (typeof name !== 'string' || name === '') throw new LossError('something that is not XML');
  const element = new Element(name);
  for (const attribute of itemsOf(attributes)) {
    const [key, value] = attribute instanceof Tuple ? attribute.items : [];
    if (typeof key === 'string' && typeof value === 'string') element.attrs[key] = value;
  }
  for (const child of itemsOf(children)) {
    if (!(child instanceof Tuple)) continue;
    const text = child.items[1];
    if (isElement(child)) element.append(elementOf(child));
    else if (child.recordName === 'xmlcdata' && typeof text === 'string') element.append(text);
  }
  return element;
}

/** Versions before 13.10 have another name for it. */
function isElement({ recordName }: Tuple): boolean {
  return recordName === 'xmlel' || recordName === 'xmlelement';
}

/** A stanza. */
export function stanzaElement(term: ErlangTerm): Element {
  const element = elementOf(term);
  element.attrs.xmlns ??= ns.client;
  return element;
}

/** An address: three strings, or a record of them. */
export function addressOf(term: ErlangTerm): string {
  const strings = term instanceof Tuple ? term.items.filter((item) => typeof item === 'string') : [];
  const [local, domain, resource] = strings;
  if (!domain) throw new LossError('something that is not an address');
  return `${local ? `${local}@` : ''}${domain}${resource ? `/${resource}` : ''}`;
}

/** A time, in milliseconds since 1970: megaseconds, seconds and microseconds. */
export function timeMsOf(term: ErlangTerm): number | undefined {
  const [mega, seconds, micro] = term instanceof Tuple ? term.items : [];
  if (typeof mega !== 'number' || typeof seconds !== 'number' || typeof micro !== 'number') return undefined;
  return (mega * 1_000_000 + seconds) * 1000 + Math.floor(micro / 1000);
}

/** The hash functions of SCRAM by their names in ejabberd. Records without a name have SHA-1. */
const hashes: Readonly<Record<string, string>> = { sha: 'SHA-1', sha256: 'SHA-256', sha512: 'SHA-512' };

/** SCRAM keys as an element of XEP-0227 §4.3; undefined if the term has none. */
export function scramElement(term: ErlangTerm): Element | undefined {
  if (!(term instanceof Tuple) || term.recordName !== 'scram') return undefined;
  const [, storedKey, serverKey, salt, ...rest] = term.items;
  const hash = nameOf(rest[0]) ?? 'sha';
  const field = (name: string, value: ErlangTerm) => xml(name, {}, String(value));
  return xml(
    'scram-credentials',
    { xmlns: ns.portableScram, mechanism: `SCRAM-${hashes[hash] ?? hash}` },
    field('iter-count', rest.at(-1)),
    field('salt', salt),
    field('stored-key', storedKey),
    field('server-key', serverKey),
  );
}

/** A contact, and the subscription request that its owner has not answered. */
export function contactElements(contact: EjabberdRecord): Element[] {
  const jid = addressOf(contact.get('jid'));
  const [subscription, ask = 'none'] = [contact.name('subscription'), contact.name('ask')];
  const message = contact.text('askmessage');
  const status = message ? xml('status', {}, message) : undefined;
  const request = xml('presence', { xmlns: ns.client, type: 'subscribe', from: jid }, status);
  const groups = contact.list('groups').filter((group) => typeof group === 'string');
  const item = xml(
    'item',
    { jid, subscription, ask: ask === 'none' || ask === 'in' ? undefined : 'subscribe', name: contact.text('name') },
    ...groups.map((group) => xml('group', {}, group)),
  );
  return [
    // Somebody who has only asked is no contact yet.
    ...(subscription === 'none' && ask === 'in' ? [] : [xml('query', { xmlns: ns.roster }, item)]),
    ...(ask === 'in' || ask === 'both' ? [request] : []),
  ];
}

/** The block list of an account, which is a part of its default privacy list, and the names of the lists with anything else. */
export function blocklistOf(privacy: EjabberdRecord): { blocklist: Element; others: string[] } {
  const blocklist = xml('blocklist', { xmlns: ns.blocking });
  const others: string[] = [];
  for (const list of privacy.list('lists')) {
    const [name, items] = list instanceof Tuple ? list.items : [];
    const isDefault = name === privacy.get('default');
    const blocked = itemsOf(items).map((item) => (isDefault ? blockedBy(item) : undefined));
    for (const jid of blocked) if (jid !== undefined) blocklist.append(xml('item', { jid }));
    if (blocked.includes(undefined)) others.push(String(name));
  }
  return { blocklist, others };
}

/** The address that an item blocks for everything. */
function blockedBy(item: ErlangTerm): string | undefined {
  if (!(item instanceof Tuple)) return undefined;
  const [, type, value, action, , all] = item.items;
  return nameOf(type) === 'jid' && nameOf(action) === 'deny' && all === true ? addressOf(value) : undefined;
}

/** An offline message with the time of its arrival; undefined if it has expired. */
export function offlineElement(record: EjabberdRecord, domain: string, nowMs: number): Element | undefined {
  const expiryMs = timeMsOf(record.get('expire'));
  if (expiryMs !== undefined && expiryMs <= nowMs) return undefined;
  const message = stanzaElement(record.get('packet'));
  message.attrs['from'] ??= addressOf(record.get('from'));
  message.attrs['to'] ??= addressOf(record.get('to'));
  const atMs = timeMsOf(record.get('timestamp'));
  if (atMs !== undefined) message.append(xml('delay', { xmlns: ns.delay, from: domain, stamp: formatDateTime(atMs) }));
  return xml('offline-messages', { xmlns: ns.portableData }, message);
}

/** An archived message as an element of XEP-0227 §4.11. */
export function archivedElement(record: EjabberdRecord): Element {
  const atMs = timeMsOf(record.get('timestamp'));
  const delay = atMs === undefined ? undefined : xml('delay', { xmlns: ns.delay, stamp: formatDateTime(atMs) });
  const forwarded = xml('forwarded', { xmlns: ns.forward }, delay, stanzaElement(record.get('packet')));
  return xml('result', { xmlns: ns.archive, id: record.text('id') }, forwarded);
}

/** The preferences of an archive (XEP-0441). */
export function preferencesElement(record: EjabberdRecord): Element {
  const list = (name: string) =>
    xml(name, {}, ...record.list(name).map((address) => xml('jid', {}, addressOf(address))));
  return xml('prefs', { xmlns: ns.archive, default: record.name('default') }, list('always'), list('never'));
}

/** The configuration and the subscriptions of a node, as its owner gets them (XEP-0227 §4.10). */
export function nodeElement(node: string, options: ErlangTerm, states: readonly EjabberdRecord[]): Element {
  const form = xml('x', { xmlns: ns.dataForm, type: 'submit' });
  for (const option of itemsOf(options)) {
    const [name, value] = option instanceof Tuple ? option.items : [];
    const values = valuesOf(value).map((text) => xml('value', {}, text));
    if (values.length > 0) form.append(xml('field', { var: `pubsub#${nameOf(name)}` }, ...values));
  }
  const subscriptions = xml('subscriptions', { node });
  const affiliations = xml('affiliations', { node });
  for (const state of states) {
    const jid = addressOf(firstOf(state.get('stateid')));
    for (const one of state.list('subscriptions')) {
      const subscription = one instanceof Tuple ? one.recordName : undefined;
      subscriptions.append(xml('subscription', { jid, subscription }));
    }
    affiliations.append(xml('affiliation', { jid, affiliation: state.name('affiliation') }));
  }
  return xml('pubsub', { xmlns: ns.pubsubOwner }, xml('configure', { node }, form), subscriptions, affiliations);
}

/** The values of an option as a form has them. */
function valuesOf(value: ErlangTerm): string[] {
  if (Array.isArray(value)) return value.flatMap(valuesOf);
  if (typeof value === 'boolean') return [String(Number(value))];
  const text = nameOf(value) ?? value;
  // Versions since 21.12 have no largest number of items.
  if (text === 'infinity' || text === 'unlimited') return ['max'];
  return typeof text === 'string' || typeof text === 'number' ? [String(text)] : [];
}

/** An item of a node. */
export function itemsElement(node: string, record: EjabberdRecord): Element {
  const item = xml('item', { id: String(firstOf(record.get('itemid'))) }, ...record.list('payload').map(elementOf));
  return xml('pubsub', { xmlns: ns.pubsub }, xml('items', { node }, item));
}

function firstOf(term: ErlangTerm): ErlangTerm {
  return term instanceof Tuple ? term.items[0] : undefined;
}

/** When an item was published, in milliseconds since 1970. */
export function publishedMs(record: EjabberdRecord): number {
  const change = record.get('modification');
  // Some versions have the time behind the publisher.
  return (change instanceof Tuple ? change.items : []).map(timeMsOf).find((time) => time !== undefined) ?? 0;
}
