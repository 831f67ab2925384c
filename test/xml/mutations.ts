/** A seeded generator of numbers (mulberry32), so that a failure can be had again. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

const names = ['a', 'b', 'p:a', 'q:b', 'xml:a', 'message', '_1', 'é', 'p:Ж', '__proto__', 'constructor', 'a-b.c'];
const texts = [
  '',
  'x',
  'a > b',
  '&amp;',
  '&lt;a/&gt;',
  '&#10;',
  '&#xD;',
  '&#x1F600;',
  'ü中😀',
  'a\r\nb\rc',
  ']]&gt;',
  ']',
  '\'"',
];
const values = ['', 'v', 'a\tb\nc', '&quot;', '&#9;&#10;', 'é', "it's", 'a>b', 'urn:x y'];
const namespaces = ['', 'urn:a', 'urn:a', 'jabber:client', 'http://www.w3.org/XML/1998/namespace', 'a&#10;b', 'é'];
const tokens = [
  '<',
  '>',
  '/',
  '&',
  '"',
  "'",
  '=',
  ' ',
  ':',
  ';',
  '#',
  '!',
  '?',
  '[',
  ']',
  '-',
  '\0',
  '\r',
  '\n',
  '\t',
  ']]>',
  '/>',
  '</',
  '<!--',
  '-->',
  '<![CDATA[',
  '<?x y?>',
  '<?xml version="1.0"?>',
  '<!DOCTYPE a>',
  '&#0;',
  '&#x',
  '&x;',
  '&lt',
  ' a="1"',
  ' xmlns:p=""',
  ' xmlns:p="urn:a"',
  ' xmlns:q="urn:a"',
  ' xmlns:xml="urn:a"',
  ' p:a="1" q:a="2"',
  ' xmlns="urn:b"',
  'xmlns:xmlns="u"',
  '\ufffe',
  '\u0085',
].map((token) => Buffer.from(token));
const brokenUtf8 = [
  'c0bc',
  'e080bc',
  'eda080',
  'f4908080',
  'e282',
  '80',
  'ff',
  'c1',
  'f09f98',
  'efbfbf',
  'efbbbf',
  'f888808080',
].map((hex) => Buffer.from(hex, 'hex'));

function attribute(dice: Dice): string {
  const value = dice.pick(values).replaceAll('"', '&quot;');
  return ` ${dice.pick(names)}="${value}"`;
}

function declaration(dice: Dice): string {
  return ` ${dice.pick(['xmlns', 'xmlns:p', 'xmlns:q'])}="${dice.pick(namespaces)}"`;
}

function content(dice: Dice, depth: number): string {
  const roll = dice.below(10);
  if (roll < 4 && depth > 0) return element(dice, depth - 1);
  return roll === 9 ? `<![CDATA[${dice.pick(['', 'a<b', ']]', '\r\n', 'é'])}]]>` : dice.pick(texts);
}

function element(dice: Dice, depth: number): string {
  const name = dice.pick(names);
  let tag = name;
  while (dice.below(3) === 0) tag += declaration(dice);
  while (dice.below(3) === 0) tag += attribute(dice);
  if (dice.below(4) === 0) return `<${tag}/>`;
  let inner = '';
  while (dice.below(4) > 0) inner += content(dice, depth);
  return `<${tag}>${inner}</${name}${dice.pick(['', '', ' '])}>`;
}

/** A document made by the grammar; with its namespaces it is often well-formed, not always. */
export function grow(dice: Dice): Buffer {
  const root = element(dice, 4).replace(/^<[^\s/>]+/, (start) => `${start} xmlns:p="urn:p" xmlns:q="urn:q"`);
  return Buffer.from(dice.below(8) === 0 ? `<?xml version="1.0"?>${root}` : root);
}

function splice(bytes: Buffer, from: number, to: number, inserted: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, from), inserted, bytes.subarray(to)]);
}

/** The document with one thing wrong, or at least different. */
export function mutate(dice: Dice, bytes: Buffer): Buffer {
  const at = dice.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + dice.below(6));
  switch (dice.below(8)) {
    case 0:
      return splice(bytes, at, to, Buffer.alloc(0));
    case 1:
      return splice(bytes, at, at, bytes.subarray(at, to));
    case 2:
      return splice(bytes, at, Math.min(at + 1, bytes.length), Buffer.of(dice.below(256)));
    case 3:
      return splice(bytes, at, at, dice.pick(brokenUtf8));
    case 4:
      return splice(bytes, at, to, dice.pick(tokens));
    default:
      return splice(bytes, at, at, dice.pick(tokens));
  }
}

/** The bytes in chunks of random sizes. */
export function cut(dice: Dice, bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + dice.below(dice.pick([2, 10, bytes.length]));
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
