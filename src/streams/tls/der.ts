/** One DER value: its tag, its length and its content (X.690 §8.1). */
function value(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthBytes(content.length), content]);
}

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = bigEndian(length);
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

function bigEndian(number: number): Buffer {
  const hex = number.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

/** SEQUENCE. */
export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return value(0x30, ...parts);
}

/** SET of one value. */
export function setOf(part: Uint8Array): Buffer {
  return value(0x31, part);
}

/** A non-negative INTEGER from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const firstUsed = bytes.findIndex((byte) => byte !== 0);
  const significant = firstUsed === -1 ? Buffer.from([0]) : bytes.subarray(firstUsed);
  const wouldBeNegative = (significant[0] ?? 0) >= 0x80;
  return value(0x02, Buffer.from(wouldBeNegative ? [0] : []), significant);
}

/** BOOLEAN TRUE. */
export const yes = value(0x01, Buffer.from([0xff]));

/** OBJECT IDENTIFIER, from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return value(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(number: number): number[] {
  const digits = [number & 0x7f];
  for (let left = number >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

/** UTF8String. */
export function utf8String(text: string): Buffer {
  return value(0x0c, Buffer.from(text));
}

/** OCTET STRING. */
export function octetString(content: Uint8Array): Buffer {
  return value(0x04, content);
}

/** BIT STRING. */
export function bitString(content: Uint8Array, unusedBits = 0): Buffer {
  return value(0x03, Buffer.from([unusedBits]), content);
}

/** UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5). */
export function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/\.\d+|[-:T]/g, '');
  return digits < '2050' ? value(0x17, Buffer.from(digits.slice(2))) : value(0x18, Buffer.from(digits));
}

/** A value under the context-specific tag `number`, with its own tag kept (EXPLICIT). */
export function explicit(number: number, part: Uint8Array): Buffer {
  return value(0xa0 | number, part);
}

/** Primitive content under the context-specific tag `number` in place of its own tag (IMPLICIT). */
export function implicit(number: number, content: Uint8Array): Buffer {
  return value(0x80 | number, content);
}
