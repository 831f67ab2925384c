/**
 * A value that an Erlang program has written. Binaries and strings are text, the atoms `true`, `false` and `undefined` are the values of
 * JavaScript, and other atoms are Atom.
 */
export type ErlangTerm =
  | string
  | number
  | boolean
  | undefined
  | Atom
  | Tuple
  | readonly ErlangTerm[]
  | ReadonlyMap<ErlangTerm, ErlangTerm>;

/** An atom, or a value without a meaning outside its program, such as `<0.1.0>`. */
export class Atom {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A tuple. A record is a tuple whose first item is the atom of its name. */
export class Tuple {
  readonly items: readonly ErlangTerm[];

  constructor(items: readonly ErlangTerm[]) {
    this.items = items;
  }

  /** The name of a record; undefined for any other tuple. */
  get recordName(): string | undefined {
    return nameOf(this.items[0]);
  }
}

/** The name of an atom. */
export function nameOf(term: ErlangTerm): string | undefined {
  return term instanceof Atom ? term.name : undefined;
}

/** The items of a list; none of anything else. */
export function itemsOf(term: ErlangTerm): readonly ErlangTerm[] {
  return Array.isArray(term) ? term : [];
}

/** Text that does not have the syntax of an Erlang term. */
export class ErlangSyntaxError extends Error {
  override readonly name = 'ErlangSyntaxError';
}

const deepest = 1000;
const space = /(?:\s|%[^\n]*)*/y;
const number = /[-+]?\d+(?:\.\d+(?:[eE][-+]?\d+)?)?/y;
const word = /[a-z\xDF-\xFF][\w@\xC0-\xFF]*/y;
const opaque = /(?:#\w+)?<[^<>]*>/y;
const plain = /[^"'\\]*/y;
const escaped = /\\(?:x\{([\da-fA-F]{1,6})\}|x([\da-fA-F]{2})|([0-7]{1,3})|\^([\s\S])|([\s\S]))/y;
const controls: Readonly<Record<string, string>> = {
  b: '\b',
  d: '\x7f',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  s: ' ',
  t: '\t',
  v: '\v',
};

/** Reads the term at the start of a file or of a part of one. Runs no code. Throws ErlangSyntaxError. */
export function readTerm(bytes: Buffer): ErlangTerm {
  return new TermReader(bytes).value();
}

/** Reads the name of a record and its first field, without the rest. Throws ErlangSyntaxError. */
export function readRecordKey(bytes: Buffer): { name: string | undefined; key: ErlangTerm } {
  const reader = new TermReader(bytes);
  reader.expect('{');
  const name = nameOf(reader.value());
  reader.expect(',');
  return { name, key: reader.value() };
}

/** Reads terms. Each character of its text is a byte of the file; the strings that it returns are decoded. */
class TermReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(bytes: Buffer) {
    this.#text = bytes.toString('latin1');
  }

  /** Reads a sign, which must come next. */
  expect(sign: string): void {
    if (!this.#skip(sign)) throw this.#fault(`expected ${sign}`);
  }

  value(): ErlangTerm {
    this.#depth += 1;
    if (this.#depth > deepest) throw this.#fault('terms are nested too deeply');
    const value = this.#value();
    this.#depth -= 1;
    return value;
  }

  #value(): ErlangTerm {
    if (this.#skip('{')) return new Tuple(this.#listUntil('}'));
    if (this.#skip('[')) return this.#listUntil(']');
    if (this.#skip('#{')) return this.#map();
    if (this.#skip('<<')) return this.#binary();
    if (this.#text[this.#at] === '"') return decoded(this.#strings());
    if (this.#text[this.#at] === "'") return atomNamed(decoded(this.#quoted("'")));
    const digits = this.#match(number);
    if (digits !== undefined) return Number(digits);
    const name = this.#match(word) ?? this.#match(opaque);
    if (name === undefined) throw this.#fault('expected a term');
    return atomNamed(name);
  }

  #listUntil(end: string): ErlangTerm[] {
    const items: ErlangTerm[] = [];
    if (this.#skip(end)) return items;
    do items.push(this.value());
    while (this.#skip(','));
    // The tail of an improper list has no meaning in what is imported.
    if (this.#skip('|')) this.value();
    this.expect(end);
    return items;
  }

  #map(): ReadonlyMap<ErlangTerm, ErlangTerm> {
    const map = new Map<ErlangTerm, ErlangTerm>();
    if (this.#skip('}')) return map;
    do {
      const key = this.value();
      this.expect('=>');
      map.set(key, this.value());
    } while (this.#skip(','));
    this.expect('}');
    return map;
  }

  #binary(): string {
    let bytes = '';
    if (this.#skip('>>')) return bytes;
    do bytes += this.#segment();
    while (this.#skip(','));
    this.expect('>>');
    return decoded(bytes);
  }

  #segment(): string {
    this.#match(space);
    if (this.#text[this.#at] === '"') {
      const bytes = this.#strings();
      this.#skip('/utf8');
      return bytes;
    }
    const byte = Number(this.#match(number) ?? Number.NaN);
    if (!(byte >= 0 && byte <= 0xff)) throw this.#fault('expected a byte');
    return String.fromCharCode(byte);
  }

  /** A string; long ones are written as several, one after another. */
  #strings(): string {
    let bytes = '';
    do {
      bytes += this.#quoted('"');
      this.#match(space);
    } while (this.#text[this.#at] === '"');
    return bytes;
  }

  #quoted(quote: string): string {
    this.#at += 1;
    let bytes = '';
    for (;;) {
      bytes += this.#match(plain) ?? '';
      const next = this.#text[this.#at];
      if (next === undefined) throw this.#fault('a string does not end');
      if (next === '\\') bytes += this.#escape();
      else this.#at += 1;
      if (next === quote) return bytes;
      if (next !== '\\') bytes += next;
    }
  }

  #escape(): string {
    escaped.lastIndex = this.#at;
    const [whole = '', wide, hexadecimal, octal, control, other = ''] = escaped.exec(this.#text) ?? [];
    if (whole === '') throw this.#fault('a string does not end');
    this.#at += whole.length;
    const code = wide ?? hexadecimal;
    if (code !== undefined) return this.#character(Number.parseInt(code, 16));
    if (octal !== undefined) return this.#character(Number.parseInt(octal, 8));
    if (control !== undefined) return String.fromCharCode(control.charCodeAt(0) & 0x1f);
    return controls[other] ?? other;
  }

  /** The bytes of a character. One below 256 is a byte. */
  #character(code: number): string {
    if (code > 0x10ffff) throw this.#fault('there is no such character');
    return code <= 0xff ? String.fromCharCode(code) : Buffer.from(String.fromCodePoint(code)).toString('latin1');
  }

  #skip(sign: string): boolean {
    this.#match(space);
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  /** The text that fits at this place; undefined if there is none. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #fault(what: string): ErlangSyntaxError {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    return new ErlangSyntaxError(line === 1 ? what : `${what}, in its line ${line}`);
  }
}

function atomNamed(name: string): ErlangTerm {
  if (name === 'true' || name === 'false') return name === 'true';
  return name === 'undefined' ? undefined : new Atom(name);
}

function decoded(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** A term in a file, as it is written. */
export interface WrittenTerm {
  /** The offset of its first byte. */
  readonly at: number;
  /** The number of the line in which it begins. */
  readonly line: number;
  readonly bytes: Buffer;
}

/** Bytes of one term. */
const longestTerm = 64 * 1024 * 1024;

const [lineFeed, largestSpace, percent, dollar, dot] = [0x0a, 0x20, 0x25, 0x24, 0x2e];
const [doubleQuote, singleQuote, backslash] = [0x22, 0x27, 0x5c];

/**
 * Cuts a file into its terms, each of which ends with a dot and a space. Throws ErlangSyntaxError for one that is too long, or that does
 * not end.
 */
export async function* writtenTerms(input: AsyncIterable<Buffer>): AsyncGenerator<WrittenTerm> {
  const cutter = new TermCutter();
  for await (const chunk of input) yield* cutter.push(chunk);
  yield* cutter.push(Buffer.from('\n'));
  cutter.end();
}

class TermCutter {
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** The offset of what is kept, and the number of its first line. */
  #at = 0;
  #startLine = 1;
  #line = 1;
  /** The quote that ends the open string, or a line feed in a comment; 0 outside of them. */
  #open = 0;
  #isEscaped = false;
  #afterDot = false;

  *push(chunk: Buffer): Generator<WrittenTerm> {
    let start = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      if (byte === lineFeed) this.#line += 1;
      if (!this.#endsTerm(byte)) continue;
      yield this.#cut(chunk.subarray(start, index + 1));
      start = index + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  end(): void {
    if (Buffer.concat(this.#kept).toString('latin1').trim() === '') return;
    throw new ErlangSyntaxError(`line ${this.#startLine}: the file ends within a term`);
  }

  /** Whether a term has ended before this byte. */
  #endsTerm(byte: number): boolean {
    if (this.#isEscaped) {
      this.#isEscaped = false;
      return false;
    }
    if (this.#open !== 0) {
      if (byte === this.#open) this.#open = 0;
      else this.#isEscaped = byte === backslash && this.#open !== lineFeed;
      return false;
    }
    const ended = this.#afterDot && byte <= largestSpace;
    this.#afterDot = byte === dot;
    if (byte === doubleQuote || byte === singleQuote) this.#open = byte;
    else if (byte === percent) this.#open = lineFeed;
    else this.#isEscaped = byte === dollar;
    return ended;
  }

  #cut(last: Buffer): WrittenTerm {
    this.#keep(last);
    const bytes = Buffer.concat(this.#kept);
    const lead = /^\s*/.exec(bytes.toString('latin1'))?.[0] ?? '';
    const line = this.#startLine + lead.split('\n').length - 1;
    const term = { at: this.#at + lead.length, line, bytes: bytes.subarray(lead.length) };
    this.#at += this.#keptBytes;
    this.#startLine = this.#line;
    [this.#kept, this.#keptBytes] = [[], 0];
    return term;
  }

  #keep(bytes: Buffer): void {
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > longestTerm) throw new ErlangSyntaxError(`line ${this.#startLine}: a term is too long`);
    this.#kept.push(bytes);
  }
}
