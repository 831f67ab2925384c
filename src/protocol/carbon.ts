import { parseFrame } from '../xml/parse-frame.ts';
import { type Child, Payload } from '../xml/payload.ts';
import type { Jid } from './jid.ts';
import { ns } from './namespaces.ts';
import { Stanza } from './stanza.ts';

/** Whether another device of the user has sent or received the message that a carbon carries. */
export type CarbonDirection = 'sent' | 'received';

/** The elements around the message in a carbon (XEP-0280 §7, §8; XEP-0297). */
interface Wrapping {
  readonly start: Buffer;
  readonly end: Buffer;
}

/** A carbon taken apart. */
interface UnwrappedCarbon {
  readonly direction: CarbonDirection;
  readonly message: Stanza;
}

const wrappings: Record<CarbonDirection, Wrapping> = { sent: wrapping('sent'), received: wrapping('received') };

/** A carbon of a message, for the devices of an account. It lacks only its 'to', the full JID of the device. */
export function carbonOf(message: Stanza, direction: CarbonDirection, account: Jid): Stanza {
  const { start, end } = wrappings[direction];
  // The message declares its namespace, because payloads declare none for content.
  const bytes = Buffer.concat([start, message.toBytes(ns.client), end]);
  const child: Child = { name: direction, ns: ns.carbons, start: 0, end: bytes.length };
  return new Stanza('message', { from: account, type: message.type }, new Payload(bytes, [child]));
}

/**
 * Whether the server has made the message as a carbon for the device at its 'to'. Nothing else with this content comes from the user's own
 * bare JID: clients are not allowed to send it to their own account.
 */
export function isCarbon({ kind, from, to, payload }: Stanza): boolean {
  if (kind !== 'message' || !looksLikeCarbon(payload)) return false;
  return from !== undefined && to !== undefined && from.equals(to.bare());
}

/** The message in a carbon that the server has made; undefined for anything else. */
export function unwrapCarbon(stanza: Stanza): UnwrappedCarbon | undefined {
  if (!isCarbon(stanza)) return undefined;
  const { bytes } = stanza.payload;
  const direction = stanza.payload.children[0]?.name === 'sent' ? 'sent' : 'received';
  const { start, end } = wrappings[direction];
  return { direction, message: Stanza.fromFrame(parseFrame(bytes.subarray(start.length, -end.length))) };
}

/** Whether the content is that of a carbon, whoever sent it. */
export function looksLikeCarbon({ children }: Payload): boolean {
  for (const child of children) {
    if (child.ns === ns.carbons && (child.name === 'sent' || child.name === 'received')) return true;
  }
  return false;
}

function wrapping(direction: CarbonDirection): Wrapping {
  const start = `<${direction} xmlns="${ns.carbons}"><forwarded xmlns="${ns.forward}">`;
  return { start: Buffer.from(start), end: Buffer.from(`</forwarded></${direction}>`) };
}
