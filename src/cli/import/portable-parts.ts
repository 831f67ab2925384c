import { delayStampMs, withoutDelaysOf } from '../../protocol/delay.ts';
import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { ImportedContact, ImportedMessage } from '../../web/control/imported-user.ts';
import { attribute, childElements, type Element, nsOf, textOf } from '../../xml/element.ts';
import { parseFrame } from '../../xml/parse-frame.ts';
import { serialize } from '../../xml/serialize.ts';
import { LossError } from './loss-error.ts';

const subscriptions = ['none', 'to', 'from', 'both'] as const;

/** A contact of a roster (RFC 6121 §2.1.2). */
export function rosterContact(item: Element): ImportedContact {
  const subscription = subscriptions.find((name) => name === (attribute(item, 'subscription') ?? 'none'));
  if (subscription === undefined) throw new LossError(`a contact with subscription ${attribute(item, 'subscription')}`);
  const groups = childElements(item).filter((child) => child.getName() === 'group' && nsOf(child) === ns.roster);
  return {
    contact: Jid.parse(attribute(item, 'jid') ?? '').toString(),
    name: attribute(item, 'name') ?? '',
    groups: [...new Set(groups.map(textOf))],
    subscription,
    ask: attribute(item, 'ask') === 'subscribe',
    approved: ['true', '1'].includes(attribute(item, 'approved') ?? ''),
    inRoster: true,
  };
}

/** A pending subscription request (XEP-0227 §4.8) and the contact that sent it. */
export function subscriptionRequest(element: Element): { contact: string; pendingIn: string } {
  const presence = stanzaIn(element);
  const contact = presence.from?.bare();
  if (presence.type !== 'subscribe' || contact === undefined) throw new LossError('not a subscription request');
  return { contact: contact.toString(), pendingIn: presence.with({ from: contact }).toString() };
}

/** An offline message (XEP-0227 §4.5). Without a stamp it counts as received now. */
export function offlineMessage(element: Element, domain: string, nowMs: number): ImportedMessage {
  const message = stanzaIn(element);
  if (message.kind !== 'message') throw new LossError('an element among the offline messages that is not a message');
  const delay = childElements(element).find((child) => child.getName() === 'delay' && nsOf(child) === ns.delay);
  return {
    from: message.from?.toString() ?? domain,
    receivedAtMs: (delay && delayStampMs(delay)) ?? nowMs,
    xml: message.with({ payload: withoutDelaysOf(message.payload, domain) }).toString(),
  };
}

/** Parses a stanza. Prosody's migrator writes stanzas without a namespace, so they inherit the one of the document. */
function stanzaIn(element: Element): Stanza {
  if (nsOf(element) === ns.portableData) element.attrs.xmlns = ns.client;
  return Stanza.fromFrame(parseFrame(serialize(element)));
}
