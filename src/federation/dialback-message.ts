import { JidError, prepareDomain } from '../protocol/jid.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { childElements, type Element, textOf, xml } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';

/** The answer to a dialback request: valid, invalid, or an error (XEP-0220 §2.5). */
export type DialbackAnswer = 'valid' | 'invalid' | StanzaError;

/** A dialback element. Without an answer it is a request. */
export interface DialbackMessage {
  readonly kind: 'result' | 'verify';
  readonly from: string;
  readonly to: string;
  /** The stream on which the key was sent; only for `verify`. */
  readonly id?: string | undefined;
  readonly key?: string | undefined;
  readonly answer?: DialbackAnswer | undefined;
}

/** Writes a dialback element. The stream header declares its prefix (XEP-0220 §2). */
export function dialbackElement({ kind, from, to, id, key, answer }: DialbackMessage): Element {
  const type = answer instanceof StanzaError ? 'error' : answer;
  const content = answer instanceof StanzaError ? answer.element() : key;
  return xml(`db:${kind}`, { from, to, id, type }, content);
}

/** Reads a dialback element; throws StreamError if it is malformed. */
export function readDialback(frame: Frame): DialbackMessage {
  const kind = frame.name;
  if (kind !== 'result' && kind !== 'verify') throw StreamError.unsupportedStanzaType(`unknown element <db:${kind}/>`);
  const from = domainIn(frame, 'from');
  const to = domainIn(frame, 'to');
  // Prosody puts an id on its results, too, where it has no meaning.
  const id = kind === 'verify' ? frame.attribute('id') : undefined;
  if (kind === 'verify' && !id) throw StreamError.badFormat("a <db:verify/> needs an 'id'");
  const element = frame.element();
  return { kind, from, to, id, key: textOf(element).trim(), answer: answerIn(frame.attribute('type'), element) };
}

function domainIn(frame: Frame, name: 'from' | 'to'): string {
  try {
    return prepareDomain(frame.attribute(name) ?? '');
  } catch (error) {
    if (error instanceof JidError) throw StreamError.improperAddressing(`'${name}' is not a domain`);
    throw error;
  }
}

function answerIn(type: string | undefined, element: Element): DialbackAnswer | undefined {
  switch (type) {
    case undefined:
    case 'valid':
    case 'invalid':
      return type;
    case 'error': {
      const error = childElements(element).find((child) => child.getName() === 'error');
      return error ? StanzaError.fromElement(error) : StanzaError.undefinedCondition();
    }
    default:
      throw StreamError.badFormat(`unknown dialback type '${type}'`);
  }
}
