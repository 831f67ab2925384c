import { isXmlCharacter, nameByte, nonAscii, numberSign, semicolon } from './char-class.ts';
import { characterLength } from './utf8.ts';
import { malformed, restricted } from './xml-error.ts';

const predefined = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

const decimal = /^#[0-9]+$/;
const hexadecimal = /^#x[0-9a-fA-F]+$/;

/** The code point of a character reference, NaN if it is none. */
function characterOf(body: string): number {
  if (hexadecimal.test(body)) return Number.parseInt(body.slice(2), 16);
  return decimal.test(body) ? Number.parseInt(body.slice(1), 10) : Number.NaN;
}

/** Scans from `at` to the `;` that ends a reference (XML 1.0 §4.1). */
export function scanReference(bytes: Buffer, at: number, end: number): number {
  let p = at;
  while (p < end && bytes[p] !== semicolon) {
    const byte = bytes[p]!;
    if (byte < nonAscii) {
      if (nameByte[byte] === 0 && byte !== numberSign) malformed("a reference without ';'");
      p++;
    } else {
      const length = characterLength(bytes, p, end);
      if (length === 0) return ~p;
      p += length;
    }
  }
  return p;
}

/** Refuses a reference unless it is to a legal character or one of the five entities (RFC 6120 §11.1). */
export function checkReference(body: string): void {
  if (predefined.has(body)) return;
  if (/^[A-Za-z_\u0080-\u00ff][^#]*$/.test(body)) restricted('reference to an entity that is not predefined');
  if (!isXmlCharacter(characterOf(body))) malformed('not a reference to a legal character');
}

/** The text of a checked reference. */
export function resolveReference(body: string): string {
  return predefined.get(body) ?? String.fromCodePoint(characterOf(body));
}
