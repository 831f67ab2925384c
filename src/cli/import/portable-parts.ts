import { delayStampMs, withoutDelaysOf } from '../../protocol/delay.ts';
import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { ImportedContact, ImportedMessage } from '../../web/control/operations.ts';
import { attribute, childElements, type Element, nsOf, textOf } from '../../xml/element.ts';
import { parseFrame } from '../../xml/parse-frame.ts';
import { serialise } from '../../xml/serialise.ts';
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

/** A subscription request that waits for an answer (XEP-0227 §4.8), and who asks. */
export function subscriptionRequest(element: Element): { contact: string; pendingIn: string } {
  const presence = stanzaIn(element);
  const contact = presence.from?.bare();
  if (presence.type !== 'subscribe' || contact === undefined) throw new LossError('a presence that is no request');
  return { contact: contact.toString(), pendingIn: presence.with({ from: contact }).toString() };
}

/** A message that was kept for the user (XEP-0227 §4.5); without a stamp it counts as received now. */
export function offlineMessage(element: Element, domain: string, nowMs: number): ImportedMessage {
  const message = stanzaIn(element);
  if (message.kind !== 'message') throw new LossError('something among the messages that is none');
  const delay = childElements(element).find((child) => child.getName() === 'delay' && nsOf(child) === ns.delay);
  return {
    from: message.from?.toString() ?? domain,
    receivedAtMs: (delay && delayStampMs(delay)) ?? nowMs,
    xml: message.with({ payload: withoutDelaysOf(message.payload, domain) }).toString(),
  };
}

function stanzaIn(element: Element): Stanza {
  return Stanza.fromFrame(parseFrame(serialise(element)));
}
