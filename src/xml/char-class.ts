/** Bytes with a meaning in the grammar of XML. */
const tab = 0x09;
const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
export const space = 0x20;
export const exclamation = 0x21;
export const doubleQuote = 0x22;
export const numberSign = 0x23;
export const ampersand = 0x26;
export const apostrophe = 0x27;
export const slash = 0x2f;
export const colon = 0x3a;
export const semicolon = 0x3b;
export const lessThan = 0x3c;
export const equals = 0x3d;
export const greaterThan = 0x3e;
export const question = 0x3f;
export const closingBracket = 0x5d;

/** The first byte that is not ASCII. */
export const nonAscii = 0x80;

function byteTable(...ranges: (readonly [from: number, to: number])[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const [from, to] of ranges) table.fill(1, from, to + 1);
  return table;
}

function inverse(table: Uint8Array): Uint8Array {
  return table.map((value) => 1 - value);
}

const letters = [
  [0x41, 0x5a],
  [0x61, 0x7a],
] as const;
const controls = [
  [0x00, 0x08],
  [0x0b, 0x0c],
  [0x0e, 0x1f],
] as const;
const only = (byte: number) => [byte, byte] as const;

/** 1 for all but white space (XML 1.0 §2.3, production S). */
const spaceStop = inverse(byteTable(only(tab), only(lineFeed), only(carriageReturn), only(space)));

/** 1 for ASCII that may be in a name, except the colon, which needs a check. */
export const nameByte = byteTable(...letters, [0x30, 0x39], only(0x2d), only(0x2e), only(0x5f));

/** 1 for every byte of a name that needs a check, and for those that end it. */
export const nameStop = inverse(nameByte);

/** 1 for ASCII that may begin either half of a qualified name. */
export const nameStartByte = byteTable(...letters, only(0x5f));

/** 1 for every byte of character data that needs a check; the rest is plain text. */
export const textStop = byteTable(
  ...controls,
  only(carriageReturn),
  only(ampersand),
  only(lessThan),
  only(greaterThan),
  [nonAscii, 0xff],
);

/** 1 for every byte of a quoted attribute value that needs a check. */
export const valueStop = byteTable([0x00, 0x1f], only(doubleQuote), only(ampersand), only(apostrophe), only(lessThan), [
  nonAscii,
  0xff,
]);

/** 1 for every byte of a CDATA section that needs a check. */
export const cdataStop = byteTable(...controls, only(carriageReturn), only(greaterThan), [nonAscii, 0xff]);

const nameStartRanges = [
  0xc0, 0xd6, 0xd8, 0xf6, 0xf8, 0x2ff, 0x370, 0x37d, 0x37f, 0x1fff, 0x200c, 0x200d, 0x2070, 0x218f, 0x2c00, 0x2fef,
  0x3001, 0xd7ff, 0xf900, 0xfdcf, 0xfdf0, 0xfffd, 0x10000, 0xeffff,
];
const nameOnlyRanges = [0xb7, 0xb7, 0x300, 0x36f, 0x203f, 0x2040];

function within(ranges: readonly number[], codePoint: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (codePoint < ranges[i]!) return false;
    if (codePoint <= ranges[i + 1]!) return true;
  }
  return false;
}

/** Whether a character beyond ASCII may begin a name (XML 1.0 §2.3, production NameStartChar). */
export function isNameStart(codePoint: number): boolean {
  return within(nameStartRanges, codePoint);
}

/** Whether a character beyond ASCII may continue a name (XML 1.0 §2.3, production NameChar). */
export function isNameCharacter(codePoint: number): boolean {
  return within(nameStartRanges, codePoint) || within(nameOnlyRanges, codePoint);
}

/** Whether a code point is a character XML can carry (XML 1.0 §2.2, production Char). */
export function isXmlCharacter(codePoint: number): boolean {
  if (codePoint < space) return codePoint === tab || codePoint === lineFeed || codePoint === carriageReturn;
  if (codePoint >= 0x10000) return codePoint <= 0x10ffff;
  return codePoint < 0xd800 || (codePoint >= 0xe000 && codePoint <= 0xfffd);
}

/**
 * The first index from `at` whose byte has a 1 in `stops`, or `end`. This is the hot loop of the reader. It is a separate
 * function because V8 compiles it to code three times slower inside another loop.
 */
export function skip(bytes: Uint8Array, stops: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end && stops[bytes[p]!] === 0) p++;
  return p;
}

/** Whether all of these bytes are white space. */
export function isWhiteSpace(bytes: Uint8Array): boolean {
  return skipSpace(bytes, 0, bytes.length) === bytes.length;
}

/** The first index from `at` that is not white space, or `end`. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  return at < end && bytes[at]! > space ? at : skip(bytes, spaceStop, at, end);
}
