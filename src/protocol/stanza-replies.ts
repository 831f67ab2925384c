import type { Element } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import { Payload } from '../xml/payload.ts';
import type { Jid } from './jid.ts';
import { Stanza, type StanzaAttributes, type StanzaKind } from './stanza.ts';
import type { StanzaError } from './stanza-error.ts';

/** How an error reply may differ from the usual one. */
interface ErrorReplyOptions {
  /** The sender of the reply, if not the addressee of the stanza. */
  readonly from?: Jid | undefined;
  /** Elements before the `<error/>`. No other content of the original stanza is echoed. */
  readonly keep?: readonly Element[] | undefined;
}

/** The attributes of a reply: the addresses swapped and the id kept, RFC 6120 §8.1.3. */
function turned(stanza: Stanza, type: string): StanzaAttributes {
  return { from: stanza.to, to: stanza.from, id: stanza.id, type };
}

/** The result of an iq request, RFC 6120 §8.2.3. */
export function iqResult(request: Stanza, child?: Element): Stanza {
  return new Stanza('iq', turned(request, 'result'), child === undefined ? Payload.empty : Payload.of(child));
}

/** The error in answer to a stanza. Undefined if that is an error or an iq result itself, RFC 6120 §8.3.1 and §8.2.3. */
export function errorReply(stanza: Stanza, error: StanzaError, options: ErrorReplyOptions = {}): Stanza | undefined {
  if (stanza.type === 'error' || (stanza.kind === 'iq' && stanza.type === 'result')) return undefined;
  const attributes = turned(stanza, 'error');
  const payload = Payload.of(...(options.keep ?? []), error.element());
  return new Stanza(stanza.kind, { ...attributes, from: options.from ?? attributes.from }, payload);
}

/** The error in answer to a frame that is not a valid stanza. It has no addresses, so it can only go to the sender's own stream. */
export function errorReplyToFrame(frame: Frame, kind: StanzaKind, error: StanzaError): Stanza | undefined {
  const attributes = { id: frame.attribute('id'), type: frame.attribute('type') };
  return errorReply(new Stanza(kind, attributes, Payload.empty), error);
}
