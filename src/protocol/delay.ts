import { attribute, type Element, xml } from '../xml/element.ts';
import type { Child, Payload } from '../xml/payload.ts';
import { formatDateTime, parseDateTime } from './date-time.ts';
import type { Jid } from './jid.ts';
import { jidOrNothing } from './jid-or-nothing.ts';
import { ns } from './namespaces.ts';

/** Who held a stanza back, and when it was sent, XEP-0203 §2. */
interface Delay {
  readonly from: Jid;
  readonly stampMs: number;
}

/** The `<delay/>` for a stanza delivered later than sent, XEP-0203 §2. */
export function delayElement(delay: Delay): Element {
  return xml('delay', { xmlns: ns.delay, from: delay.from.toString(), stamp: formatDateTime(delay.stampMs) });
}

/** The stamp of a `<delay/>`; undefined if it has none that XEP-0082 allows. */
export function delayStampMs(delay: Element): number | undefined {
  const stamp = attribute(delay, 'stamp');
  return stamp === undefined ? undefined : parseDateTime(stamp);
}

function isFrom(delay: Element, domain: string): boolean {
  const from = jidOrNothing(attribute(delay, 'from'));
  return from?.local === '' && from.domain === domain;
}

/** Whether the payload says when this domain got it. */
export function hasDelayOf(payload: Payload, domain: string): boolean {
  return payload.children.some((child) => isDelayOf(payload, child, domain));
}

/** The payload without the delays that claim to be set by this domain, which only the server itself may say, XEP-0203 §5. */
export function withoutDelaysOf(payload: Payload, domain: string): Payload {
  if (!payload.has('delay', ns.delay)) return payload;
  return payload.without((child) => isDelayOf(payload, child, domain));
}

function isDelayOf(payload: Payload, child: Child, domain: string): boolean {
  return child.name === 'delay' && child.ns === ns.delay && isFrom(payload.element(child), domain);
}
