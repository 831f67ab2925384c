import { nonAscii } from './char-class.ts';
import { malformed } from './xml-error.ts';

/** 2 to 4 for a byte that leads a sequence, 0 for one that cannot: continuations, overlong forms, beyond U+10FFFF. */
const lengthByLead = new Uint8Array(256).fill(2, 0xc2, 0xe0).fill(3, 0xe0, 0xf0).fill(4, 0xf0, 0xf5);

/**
 * The length of the character beyond ASCII at `at`, or 0 while `end` cuts it short.
 * Every malformed sequence is refused, never replaced (RFC 6120 §11.6, RFC 3629 §3).
 */
export function characterLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  const length = lengthByLead[lead]!;
  if (length === 0) malformed('invalid UTF-8');
  if (at + 1 >= end) return 0;
  checkSecond(lead, bytes[at + 1]!);
  for (let i = at + 2; i < at + length; i++) {
    if (i >= end) return 0;
    if ((bytes[i]! & 0xc0) !== nonAscii) malformed('invalid UTF-8');
  }
  if (lead === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2]! >= 0xbe) malformed('illegal character');
  return length;
}

/** The second byte alone decides overlong forms, surrogates and the end of Unicode (RFC 3629 §4). */
function checkSecond(lead: number, second: number): void {
  let lowest = 0x80;
  let highest = 0xbf;
  if (lead === 0xe0) lowest = 0xa0;
  else if (lead === 0xf0) lowest = 0x90;
  else if (lead === 0xed) highest = 0x9f;
  else if (lead === 0xf4) highest = 0x8f;
  if (second < lowest || second > highest) malformed('invalid UTF-8');
}

/** The code point of a sequence whose length `characterLength` has found. */
export function codePointAt(bytes: Uint8Array, at: number, length: number): number {
  let codePoint = bytes[at]! & (0xff >> (length + 1));
  for (let i = at + 1; i < at + length; i++) codePoint = (codePoint << 6) | (bytes[i]! & 0x3f);
  return codePoint;
}
