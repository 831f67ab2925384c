/** A value in a file of Lua. Strings are bytes, as in Lua: each character stands for one. */
export type LuaValue = string | number | boolean | LuaTable | undefined;

/** A table of Lua. */
export class LuaTable {
  readonly fields = new Map<string | number | boolean, LuaValue>();

  get(key: string | number | boolean): LuaValue {
    return this.fields.get(key);
  }

  /** The text of a string field; undefined if it is something else. */
  text(key: string): string | undefined {
    const value = this.get(key);
    return typeof value === 'string' ? textOfBytes(value) : undefined;
  }

  /** A field that is a table. */
  table(key: string | number | boolean): LuaTable | undefined {
    const value = this.get(key);
    return value instanceof LuaTable ? value : undefined;
  }

  /** The values of the keys 1, 2 and so on. */
  *list(): Generator<LuaValue> {
    for (let index = 1; this.fields.has(index); index++) yield this.get(index);
  }
}

/** A file that is not data in the syntax of Lua. */
export class LuaSyntaxError extends Error {
  override readonly name = 'LuaSyntaxError';
}

/** Decodes bytes as UTF-8. Invalid bytes become U+FFFD. */
export function textOfBytes(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

const deepest = 200;
const space = /(?:\s|--\[\[[\s\S]*?\]\]|--[^\n]*)*/y;
const word = /[A-Za-z_]\w*/y;
const number = /-?(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/y;
const plain = /[^"'\\]*/y;
const escaped = /\\(?:(\d{1,3})|x([\da-fA-F]{2})|z\s*|(\r\n|[\s\S]))/y;
const controls: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\r\n': '\n',
};

/** Reads a file of the form `return VALUE`. Runs no code. Throws LuaSyntaxError. */
export function readLuaReturn(bytes: Buffer): LuaValue {
  const reader = new LuaReader(bytes);
  reader.expect('return');
  return reader.value();
}

/** Reads a file of the form `item(VALUE); item(VALUE); …`. Runs no code. Throws LuaSyntaxError. */
export function* readLuaItems(bytes: Buffer): Generator<LuaValue> {
  const reader = new LuaReader(bytes);
  while (!reader.atEnd) {
    reader.expect('item');
    reader.expect('(');
    yield reader.value();
    reader.expect(')');
    reader.skip(';');
  }
}

/** Reads the values that Lua programs write. */
class LuaReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(bytes: Buffer) {
    this.#text = bytes.toString('latin1');
  }

  get atEnd(): boolean {
    this.#match(space);
    return this.#at >= this.#text.length;
  }

  /** Reads a sign or a word, which must come next. */
  expect(sign: string): void {
    if (!this.skip(sign)) throw this.#fault(`expected ${sign}`);
  }

  /** Reads a sign or a word, if it comes next. */
  skip(sign: string): boolean {
    this.#match(space);
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  value(): LuaValue {
    this.#match(space);
    const next = this.#text[this.#at];
    if (next === '{') return this.#table();
    if (next === '"' || next === "'") return this.#string(next);
    const digits = this.#match(number);
    if (digits !== undefined) return Number(digits);
    switch (this.#match(word)) {
      case 'true':
        return true;
      case 'false':
        return false;
      case 'nil':
        return undefined;
      default:
        throw this.#fault('expected a value');
    }
  }

  #table(): LuaTable {
    this.#depth += 1;
    if (this.#depth > deepest) throw this.#fault('tables are nested too deeply');
    this.expect('{');
    const table = new LuaTable();
    let index = 1;
    while (!this.skip('}')) {
      const key = this.#key();
      const value = this.value();
      table.fields.set(key ?? index++, value);
      if (this.skip(',') || this.skip(';')) continue;
      this.expect('}');
      break;
    }
    this.#depth -= 1;
    return table;
  }

  /** The key of a field; undefined if the field has only a value. */
  #key(): string | number | boolean | undefined {
    if (this.skip('[')) {
      const key = this.value();
      if (key === undefined || key instanceof LuaTable) throw this.#fault('expected a key');
      this.expect(']');
      this.expect('=');
      return key;
    }
    const start = this.#at;
    const name = this.#match(word);
    if (name !== undefined && this.skip('=')) return name;
    this.#at = start;
    return undefined;
  }

  #string(quote: string): string {
    this.#at += 1;
    let text = '';
    for (;;) {
      text += this.#match(plain) ?? '';
      const next = this.#text[this.#at];
      if (next === quote) break;
      if (next === undefined) throw this.#fault('a string does not end');
      text += next === '\\' ? this.#escape() : next;
      if (next !== '\\') this.#at += 1;
    }
    this.#at += 1;
    return text;
  }

  #escape(): string {
    escaped.lastIndex = this.#at;
    const [whole = '', decimal, hexadecimal, other] = escaped.exec(this.#text) ?? [];
    if (whole === '') throw this.#fault('a string does not end');
    this.#at += whole.length;
    if (decimal !== undefined) return String.fromCharCode(Number(decimal) & 0xff);
    if (hexadecimal !== undefined) return String.fromCharCode(Number.parseInt(hexadecimal, 16));
    return other === undefined ? '' : (controls[other] ?? other);
  }

  /** The text that fits at this place. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #fault(what: string): LuaSyntaxError {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    return new LuaSyntaxError(`line ${line}: ${what}`);
  }
}
