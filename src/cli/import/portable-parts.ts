import { delayStampMs, withoutDelaysOf } from '../../protocol/delay.ts';
import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { withoutStanzaIds } from '../../protocol/stanza-id.ts';
import type { PortableArchivedMessage, PortableContact, PortableMessage } from '../../web/control/portable-account.ts';
import { attribute, childElements, type Element, nsOf, textOf } from '../../xml/element.ts';
import { parseFrame } from '../../xml/parse-frame.ts';
import { serialize } from '../../xml/serialize.ts';
import { LossError } from './loss-error.ts';

const subscriptions = ['none', 'to', 'from', 'both'] as const;

/** A contact of a roster (RFC 6121 §2.1.2). */
export function rosterContact(item: Element): PortableContact {
  const subscription = subscriptions.find((name) => name === (attribute(item, 'subscription') ?? 'none'));
  if (subscription === undefined) throw new LossError(`a contact with subscription ${attribute(item, 'subscription')}`);
  const groups = childElements(item).filter((child) => child.getName() === 'group' && nsOf(child) === ns.roster);
  const names = groups.map(textOf).filter((name) => name !== '');
  return {
    contact: Jid.parse(attribute(item, 'jid') ?? '').toString(),
    name: attribute(item, 'name') ?? '',
    groups: [...new Set(names)],
    subscription,
    ask: attribute(item, 'ask') === 'subscribe',
    approved: ['true', '1'].includes(attribute(item, 'approved') ?? ''),
    inRoster: true,
  };
}

/** What the default privacy list blocks for everything (XEP-0227 §4.8), and the names of the lists that do anything else. */
export function privacyLists(query: Element): { blocked: string[]; others: string[] } {
  const named = (name: string) => childElements(query).filter((child) => child.getName() === name);
  const [chosen] = named('default').map((element) => attribute(element, 'name'));
  const [blocked, others]: [string[], string[]] = [[], []];
  for (const list of named('list')) {
    const name = attribute(list, 'name') ?? '';
    const found = childElements(list).map((item) => (name === chosen ? blockedBy(item) : undefined));
    for (const jid of found) if (jid !== undefined) blocked.push(jid);
    if (found.includes(undefined)) others.push(name);
  }
  return { blocked, others };
}

/** An item without children is about all kinds of stanzas (XEP-0016 §2.1). */
function blockedBy(item: Element): string | undefined {
  const isBlock = attribute(item, 'type') === 'jid' && attribute(item, 'action') === 'deny';
  return isBlock && childElements(item).length === 0 ? attribute(item, 'value') : undefined;
}

/** A pending subscription request (XEP-0227 §4.9) and the contact that sent it. */
export function subscriptionRequest(element: Element): { contact: string; pendingIn: string } {
  const presence = stanzaIn(element);
  const contact = presence.from?.bare();
  if (presence.type !== 'subscribe' || contact === undefined) throw new LossError('not a subscription request');
  return { contact: contact.toString(), pendingIn: presence.with({ from: contact }).toString() };
}

/** An offline message (XEP-0227 §4.5). Without a stamp it counts as received now. */
export function offlineMessage(element: Element, domain: string, nowMs: number): PortableMessage {
  const message = stanzaIn(element);
  if (message.kind !== 'message') throw new LossError('an element among the offline messages that is not a message');
  const delay = childElements(element).find((child) => child.getName() === 'delay' && nsOf(child) === ns.delay);
  return {
    from: message.from?.toString() ?? domain,
    receivedAtMs: (delay && delayStampMs(delay)) ?? nowMs,
    xml: message.with({ payload: withoutDelaysOf(message.payload, domain) }).toString(),
  };
}

/** Characters of an id that is kept. */
const longestId = 1024;

/** A message of the archive of `owner` (XEP-0227 §4.11). */
export function archivedMessage(result: Element, owner: Jid): PortableArchivedMessage {
  const forwarded = result.getChild('forwarded', ns.forward);
  const element = forwarded && childElements(forwarded).find((child) => child.getName() === 'message');
  const delay = forwarded?.getChild('delay', ns.delay);
  const atMs = delay && delayStampMs(delay);
  if (element === undefined || atMs === undefined) throw new LossError('a message without content or time');
  const message = stanzaIn(element);
  const { from = owner, to = owner } = message;
  const id = attribute(result, 'id') ?? '';
  const payload = withoutStanzaIds(message.payload, ({ domain }) => domain === owner.domain);
  return {
    id: id === '' || id.length > longestId ? undefined : id,
    atMs,
    peer: (to.bare().equals(owner) ? from : to).bare().toString(),
    xml: message.with({ payload }).toString(),
  };
}

/** Parses a stanza. Prosody's migrator writes stanzas without a namespace, so they inherit the one of the document. */
function stanzaIn(element: Element): Stanza {
  if (nsOf(element) === ns.portableData) element.attrs.xmlns = ns.client;
  return Stanza.fromFrame(parseFrame(serialize(element)));
}
