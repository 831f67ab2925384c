import { escapeAttribute } from '../xml/escape.ts';
import { Payload } from '../xml/payload.ts';
import { formatDateTime } from './date-time.ts';
import { ns } from './namespaces.ts';
import type { Stanza } from './stanza.ts';

/** The element around a forwarded stanza, which says why it was forwarded. */
interface Wrapper {
  readonly name: string;
  readonly ns: string;
  readonly attributes?: Readonly<Record<string, string | undefined>>;
}

/**
 * A payload of one element that holds another stanza in a `<forwarded/>` (XEP-0297 §3), with the time at which the server got
 * it, if that is given. The stanza's bytes are copied as they are, in the namespace of client streams (§3.1).
 */
export function forwardedPayload(wrapper: Wrapper, stanza: Stanza, receivedAtMs?: number): Payload {
  let head = `<${wrapper.name} xmlns="${wrapper.ns}"`;
  for (const [name, value] of Object.entries(wrapper.attributes ?? {})) {
    if (value !== undefined) head += ` ${name}="${escapeAttribute(value)}"`;
  }
  head += `><forwarded xmlns="${ns.forward}">`;
  if (receivedAtMs !== undefined) head += `<delay xmlns="${ns.delay}" stamp="${formatDateTime(receivedAtMs)}"/>`;
  const tail = `</forwarded></${wrapper.name}>`;
  const bytes = Buffer.concat([Buffer.from(head), stanza.toBytes(ns.client), Buffer.from(tail)]);
  return Payload.ofWritten(wrapper.name, wrapper.ns, bytes);
}
