import { SaslFailure } from '../../../protocol/sasl-failure.ts';

/** Far above any honest response; RFC 6120 §13.12 asks for a limit. */
const longestResponse = 8192;

const canonical = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

/** The bytes behind canonical base64 (RFC 4648 §4), or undefined for anything else: no white space, no missing padding, no stray bits. */
export function decodeBase64(text: string): Buffer | undefined {
  return canonical.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** The bytes of a SASL response; throws `incorrect-encoding` (RFC 6120 §6.5.5). */
export function decodeResponse(text: string): Buffer {
  if (text.length > longestResponse) throw SaslFailure.malformedRequest('the response is too long');
  const bytes = decodeBase64(text);
  if (!bytes) throw SaslFailure.incorrectEncoding();
  return bytes;
}

/** The bytes of an initial response, where '=' stands for none at all and no text for no response (RFC 6120 §6.4.2). */
export function decodeInitialResponse(text: string): Buffer | undefined {
  if (text === '') return undefined;
  return text === '=' ? Buffer.alloc(0) : decodeResponse(text);
}
