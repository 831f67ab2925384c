import { JidError } from '../../protocol/jid.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import { XmlError } from '../../xml/xml-error.ts';

/** A part of an account that cannot be imported. */
export class LossError extends Error {
  override readonly name = 'LossError';
}

/** The message of an error in what is imported or exported. Throws any other error again. */
export function faultIn(error: unknown): string {
  const faults = [LossError, JidError, StanzaError, StreamError, XmlError, RangeError];
  if (error instanceof Error && faults.some((fault) => error instanceof fault)) return error.message;
  throw error;
}
