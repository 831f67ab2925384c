import { Buffer } from 'node:buffer';
import { formatDateTime } from '../../protocol/date-time.ts';
import { ns } from '../../protocol/namespaces.ts';
import { Element, xml } from '../../xml/element.ts';
import { LossError } from './loss-error.ts';
import { LuaTable, type LuaValue, textOfBytes } from './lua-table.ts';

/** The hash functions of SCRAM, by the bytes of their keys. Prosody does not name the function. */
const hashes: Readonly<Record<number, string>> = { 20: 'SHA-1', 32: 'SHA-256', 64: 'SHA-512' };

/** The SCRAM keys of an account as an element of XEP-0227 §4.3; undefined if it has none. */
export function scramElement(account: LuaTable): Element | undefined {
  const [stored, server, salt, iterations] = ['stored_key', 'server_key', 'salt', 'iteration_count'].map((key) =>
    account.get(key),
  );
  if (typeof stored !== 'string' || typeof server !== 'string' || typeof salt !== 'string') return undefined;
  const field = (name: string, bytes: Buffer) => xml(name, {}, bytes.toString('base64'));
  const hash = hashes[stored.length / 2] ?? 'unknown keys';
  return xml(
    'scram-credentials',
    { xmlns: ns.portableScram, mechanism: `SCRAM-${hash}` },
    xml('iter-count', {}, String(iterations)),
    field('salt', Buffer.from(salt, 'latin1')),
    field('stored-key', Buffer.from(stored, 'hex')),
    field('server-key', Buffer.from(server, 'hex')),
  );
}

/** A roster, and the subscription requests that its owner has not answered. */
export function rosterElements(roster: LuaTable): Element[] {
  const query = xml('query', { xmlns: ns.roster });
  for (const [jid, item] of roster.fields) {
    if (typeof jid !== 'string' || jid === 'pending' || !(item instanceof LuaTable)) continue;
    const { subscription, ask, name, approved } = attributesOf(item, 'subscription', 'ask', 'name', 'approved');
    const groups = [...(item.table('groups')?.fields.keys() ?? [])].filter((group) => typeof group === 'string');
    const children = groups.map((group) => xml('group', {}, textOfBytes(group)));
    query.append(xml('item', { jid: textOfBytes(jid), subscription, ask, name, approved }, ...children));
  }
  return [query, ...requestsIn(roster)];
}

/** Old versions have only the addresses that ask, and these under "pending". */
function requestsIn(roster: LuaTable): Element[] {
  const pending = roster.table(false)?.table('pending') ?? roster.table('pending');
  return Array.from(pending?.fields ?? [], ([jid, request]) => {
    if (request instanceof LuaTable) return stanzaElement(request);
    return xml('presence', { xmlns: ns.client, type: 'subscribe', from: textOfBytes(String(jid)) });
  });
}

/** The block list of an account. */
export function blocklistElement(blocked: LuaTable): Element {
  const jids = [...blocked.fields.keys()].filter((jid) => typeof jid === 'string');
  const items = jids.map((jid) => xml('item', { jid: textOfBytes(jid) }));
  return xml('blocklist', { xmlns: ns.blocking }, ...items);
}

/** Private XML. */
export function privateElement(fragments: LuaTable): Element {
  const tables = [...fragments.fields.values()].filter((value) => value instanceof LuaTable);
  return xml('query', { xmlns: ns.privateXml }, ...tables.map((fragment) => elementOf(fragment)));
}

/** An offline message, with the time of its arrival. */
export function offlineElement(item: LuaTable, domain: string): Element {
  const message = stanzaElement(item);
  const stamp = timeOf(item);
  if (stamp !== undefined) message.append(xml('delay', { xmlns: ns.delay, from: domain, stamp }));
  return message;
}

/** An archived message as an element of XEP-0227 §4.11. */
export function archivedElement(item: LuaTable): Element {
  const stamp = timeOf(item);
  const delay = stamp === undefined ? undefined : xml('delay', { xmlns: ns.delay, stamp });
  const forwarded = xml('forwarded', { xmlns: ns.forward }, delay, stanzaElement(item));
  return xml('result', { xmlns: ns.archive, id: item.text('key') }, forwarded);
}

/** The preferences of an archive (XEP-0441); undefined if there is no default. */
export function preferencesElement(preferences: LuaTable): Element | undefined {
  const policy = preferences.get(false);
  if (policy === undefined) return undefined;
  const listed = (wanted: boolean) =>
    Array.from(preferences.fields).flatMap(([jid, value]) =>
      typeof jid === 'string' && value === wanted ? xml('jid', {}, textOfBytes(jid)) : [],
    );
  return xml(
    'prefs',
    { xmlns: ns.archive, default: policy === 'roster' ? policy : policy === true ? 'always' : 'never' },
    xml('always', {}, ...listed(true)),
    xml('never', {}, ...listed(false)),
  );
}

/** Fields of the configuration of a node whose names Prosody shortens differently. */
const nodeFields: Readonly<Record<string, string>> = {
  payload_type: 'type',
  notify_items: 'deliver_notifications',
  include_payload: 'deliver_payloads',
};

/** The configuration, the affiliations and the subscriptions of a node, as its owner gets them (XEP-0227 §4.10). */
export function nodeElement(node: string, { fields }: LuaTable, of: LuaTable | undefined): Element {
  const form = xml('x', { xmlns: ns.dataForm, type: 'submit' });
  for (const [key, value] of fields) {
    // "_defaults_only" and the like are notes of the server.
    if (typeof key !== 'string' || key.startsWith('_') || value instanceof LuaTable) continue;
    const text = typeof value === 'boolean' ? String(Number(value)) : textOfBytes(String(value));
    form.append(xml('field', { var: `pubsub#${nodeFields[key] ?? key}` }, xml('value', {}, text)));
  }
  const subscriptions = xml('subscriptions', { node });
  for (const jid of of?.table('subscribers')?.fields.keys() ?? [])
    subscriptions.append(xml('subscription', { jid: textOfBytes(String(jid)), subscription: 'subscribed' }));
  const affiliations = xml('affiliations', { node });
  for (const [jid, affiliation] of of?.table('affiliations')?.fields ?? [])
    affiliations.append(xml('affiliation', { jid: textOfBytes(String(jid)), affiliation: String(affiliation) }));
  return xml('pubsub', { xmlns: ns.pubsubOwner }, xml('configure', { node }, form), affiliations, subscriptions);
}

/** The items of a node. */
export function itemsElement(node: string, items: readonly LuaTable[]): Element {
  const elements = items.map((item) => {
    const payload = elementOf(item);
    delete payload.attrs['stamp'];
    return xml('item', { id: item.text('key') }, payload);
  });
  return xml('pubsub', { xmlns: ns.pubsub }, xml('items', { node }, ...elements));
}

/** A message of a room from an occupant; undefined for anything else in the log of a room. */
export function roomMessageElement(item: LuaTable): Element | undefined {
  return item.text('name') === 'message' ? stanzaElement(item) : undefined;
}

/** The message that has set the subject of a room; undefined if it has none. */
export function subjectElement(data: LuaTable, room: string): Element | undefined {
  const subject = data.text('subject');
  if (!subject) return undefined;
  const from = data.text('subject_from') ?? room;
  return xml('message', { xmlns: ns.client, type: 'groupchat', from }, xml('subject', {}, subject));
}

/** A stanza. Prosody keeps it without a namespace, and adds the time as an attribute. */
function stanzaElement(table: LuaTable): Element {
  const element = elementOf(table);
  element.attrs.xmlns ??= ns.client;
  delete element.attrs['stamp'];
  delete element.attrs['stamp_legacy'];
  return element;
}

/** An element as Prosody keeps it. Throws LossError if it is none. */
export function elementOf(table: LuaTable): Element {
  const name = table.text('name');
  if (!name) throw new LossError('something that is not XML');
  const element = new Element(name);
  for (const [attribute, value] of table.table('attr')?.fields ?? []) addAttribute(element, attribute, value);
  for (const child of table.list()) {
    if (child instanceof LuaTable) element.append(elementOf(child));
    else if (typeof child === 'string') element.append(textOfBytes(child));
  }
  return element;
}

/** An attribute with a namespace is written `namespace\1name`. */
function addAttribute(element: Element, attribute: string | number | boolean, value: LuaValue): void {
  if (typeof attribute !== 'string' || typeof value !== 'string') return;
  const [space, local] = textOfBytes(attribute).split('\x01');
  if (space === undefined) return;
  const name = local === undefined ? space : `${prefixFor(element, space)}:${local}`;
  element.attrs[name] = textOfBytes(value);
}

function prefixFor(element: Element, space: string): string {
  const known = Object.keys(element.attrs).find((name) => name.startsWith('xmlns:') && element.attrs[name] === space);
  if (known !== undefined) return known.slice('xmlns:'.length);
  const prefix = `ns${Object.keys(element.attrs).length}`;
  element.attrs[`xmlns:${prefix}`] = space;
  return prefix;
}

/** When an item was stored. */
function timeOf(item: LuaTable): string | undefined {
  const atMs = timeMsOf(item);
  return atMs === undefined ? item.table('attr')?.text('stamp') : formatDateTime(atMs);
}

/** When an item was stored, in milliseconds since 1970. */
export function timeMsOf(item: LuaTable): number | undefined {
  const when = item.get('when');
  return typeof when === 'number' ? Math.floor(when * 1000) : undefined;
}

function attributesOf<Name extends string>(table: LuaTable, ...names: Name[]): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = table.get(name);
    if (typeof value === 'string') found[name] = textOfBytes(value);
    else if (value === true) found[name] = 'true';
  }
  return found;
}
