import { delayStampMs, withoutDelaysOf } from '../../protocol/delay.ts';
import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { ScramHash } from '../../storage/accounts.ts';
import { keyByteLength, scramHashes } from '../../streams/negotiation/sasl/scram-keys.ts';
import { decodeBase64 } from '../../streams/negotiation/sasl/strict-base64.ts';
import type { ImportedContact, ImportedMessage, PortableScramKeys } from '../../web/control/operations.ts';
import { attribute, childElements, type Element, nsOf, textOf } from '../../xml/element.ts';
import { parseFrame } from '../../xml/parse-frame.ts';
import { serialise } from '../../xml/serialise.ts';

/** Something in a file that cannot be taken over. */
export class LossError extends Error {
  override readonly name = 'LossError';
}

const subscriptions = ['none', 'to', 'from', 'both'] as const;
const largestIterations = 2 ** 31 - 1;

/** SCRAM keys and the hash they are for (XEP-0227 §4.3). */
export function scramCredentials(element: Element): { hash: ScramHash; keys: PortableScramKeys } {
  const mechanism = attribute(element, 'mechanism') ?? '';
  const hash = scramHashes.find((name) => mechanism === `SCRAM-${name}`);
  if (hash === undefined) throw new LossError(`credentials for ${mechanism || 'no mechanism'}`);
  const fields = new Map(childElements(element).map((child) => [child.getName(), textOf(child).trim()]));
  const iterations = Number(fields.get('iter-count'));
  const salt = fields.get('salt') ?? '';
  const storedKey = fields.get('stored-key') ?? '';
  const serverKey = fields.get('server-key') ?? '';
  const lengths = [storedKey, serverKey].map((key) => decodeBase64(key)?.length);
  const sound = lengths.every((length) => length === keyByteLength(hash)) && (decodeBase64(salt)?.length ?? 0) > 0;
  if (!sound || !Number.isInteger(iterations) || iterations < 1 || iterations > largestIterations) {
    throw new LossError(`damaged credentials for ${mechanism}`);
  }
  return { hash, keys: { salt, iterations, storedKey, serverKey } };
}

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
