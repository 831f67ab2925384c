import { createRequire } from 'node:module';
import type saslprep from '@mongodb-js/saslprep';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a SASL message, or undefined if the bytes are not UTF-8; no byte is lost or changed. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Spaces included: none of it is mapped to something else or forbidden (RFC 4013 §2). */
const printableAscii = /^[ -~]+$/;

const require = createRequire(import.meta.url);

/** Loaded late: the tables of code points take megabytes, which only names and passwords beyond ASCII need. */
function library(): typeof saslprep {
  return require('@mongodb-js/saslprep');
}

/**
 * Prepares a name or password (RFC 4013); undefined if it holds what is forbidden or nothing remains of it.
 * Only what is presented may hold code points Unicode 3.2 did not assign, what is stored may not (RFC 3454 §7).
 */
export function prepare(text: string, use: 'query' | 'stored'): string | undefined {
  // Saves 1 % of a login, too: the library looks each character up.
  if (printableAscii.test(text)) return text;
  try {
    return library()(text, { allowUnassigned: use === 'query' }) || undefined;
  } catch {
    return undefined;
  }
}
