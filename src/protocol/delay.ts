import { attribute, type Element, xml } from '../xml/element.ts';
import type { Child, Payload } from '../xml/payload.ts';
import { formatDateTime, parseDateTime } from './date-time.ts';
import type { Jid } from './jid.ts';
import { jidOrNothing } from './jid-or-nothing.ts';
import { ns } from './namespaces.ts';

/** The entity that delayed a stanza, and the time it was sent, XEP-0203 §2. */
interface Delay {
  readonly from: Jid;
  readonly stampMs: number;
}

/** The `<delay/>` for a stanza delivered later than sent, XEP-0203 §2. */
export function delayElement(delay: Delay): Element {
  return xml('delay', { xmlns: ns.delay, from: delay.from.toString(), stamp: formatDateTime(delay.stampMs) });
}

/** The stamp of a `<delay/>`. Undefined if it is missing or not valid by XEP-0082. */
export function delayStampMs(delay: Element): number | undefined {
  const stamp = attribute(delay, 'stamp');
  return stamp === undefined ? undefined : parseDateTime(stamp);
}

/** Whether the payload has a delay from this domain. */
export function hasDelayOf(payload: Payload, domain: string): boolean {
  return payload.children.some(
    (child) => isDelay(child) && isClaimed(payload, child, (from) => isDomain(from, domain)),
  );
}

/** The payload without the delays whose 'from' is an address that `mayNotSay` (XEP-0203 §5), also in the old form of XEP-0091. */
export function withoutDelaysFrom(payload: Payload, mayNotSay: (from: Jid) => boolean): Payload {
  if (!hasDelay(payload)) return payload;
  return payload.without((child) => isDelay(child) && isClaimed(payload, child, mayNotSay));
}

/** The payload without delays from this domain, which only the server itself may set. */
export function withoutDelaysOf(payload: Payload, domain: string): Payload {
  return withoutDelaysFrom(payload, (from) => isDomain(from, domain));
}

/** Whether a payload has a delay of anybody. A loop, because every message comes here. */
function hasDelay({ children }: Payload): boolean {
  for (const child of children) if (isDelay(child)) return true;
  return false;
}

function isDelay({ name, ns: childNs }: Child): boolean {
  return (name === 'delay' && childNs === ns.delay) || (name === 'x' && childNs === ns.legacyDelay);
}

function isClaimed(payload: Payload, child: Child, by: (from: Jid) => boolean): boolean {
  const from = jidOrNothing(attribute(payload.element(child), 'from'));
  return from !== undefined && by(from);
}

function isDomain({ local, domain }: Jid, wanted: string): boolean {
  return local === '' && domain === wanted;
}
