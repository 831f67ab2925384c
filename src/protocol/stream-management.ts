import { type Element, xml } from '../xml/element.ts';
import { ns } from './namespaces.ts';
import type { StanzaError } from './stanza-error.ts';
import { StreamError } from './stream-error.ts';

/** What `<enabled/>` tells a client (XEP-0198 §3). */
export interface Enabled {
  readonly id?: string | undefined;
  readonly maxSeconds?: number | undefined;
  /** The address to which the client should reconnect first. */
  readonly location?: string | undefined;
}

/** The feature itself, XEP-0198 §2. */
export function managementFeature(): Element {
  return xml('sm', { xmlns: ns.streamManagement });
}

/** An acknowledgment, XEP-0198 §4. */
export function acknowledgment(h: number): Element {
  return xml('a', { xmlns: ns.streamManagement, h });
}

/** A request for an acknowledgment, XEP-0198 §4. */
export function acknowledgmentRequest(): Element {
  return xml('r', { xmlns: ns.streamManagement });
}

/** The answer to `<enable/>`; with an id the session can be resumed, XEP-0198 §3, §5. */
export function enabled({ id, maxSeconds, location }: Enabled): Element {
  return xml('enabled', { xmlns: ns.streamManagement, id, resume: id && 'true', max: maxSeconds, location });
}

/** The answer to `<resume/>`, XEP-0198 §5. */
export function resumed(previd: string, h: number): Element {
  return xml('resumed', { xmlns: ns.streamManagement, previd, h });
}

/** Stream management or resumption has failed. `h` is the count of an ended session, XEP-0198 §5, §6. */
export function managementFailed(error: StanzaError, h?: number): Element {
  return xml('failed', { xmlns: ns.streamManagement, h }, xml(error.condition, { xmlns: ns.stanzaErrors }));
}

/** The client acknowledges what it was never sent, XEP-0198 §6. */
export function handledCountTooHigh(h: number, sent: number): StreamError {
  const extra = xml('handled-count-too-high', { xmlns: ns.streamManagement, h, 'send-count': sent });
  const text = `You acknowledged ${h} stanzas, but I only sent you ${sent} so far.`;
  return new StreamError('undefined-condition', { text, extra });
}
