/** A place in a text, both numbers counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The keys and indexes that lead from the root of a JSON text to one of its values. */
export type JsonPath = readonly PropertyKey[];

/** Where one value stands, and the values inside it. */
interface Place {
  readonly keyOffset: number;
  readonly valueOffset: number;
  readonly inside: Map<PropertyKey, Place>;
}

/** A text that is not JSON: what is wrong, and where. */
export class JsonTextError extends Error {
  readonly position: Position;

  constructor(message: string, position: Position) {
    super(message);
    this.position = position;
  }
}

/** A JSON text that was read: its value and where each part of it stands. */
export class JsonText {
  readonly value: unknown;
  /** Keys that stand more than once in their object. */
  readonly repeatedKeys: readonly { readonly path: JsonPath; readonly position: Position }[];
  readonly #text: string;
  readonly #root: Place;

  private constructor(text: string) {
    const reader = new Reader(text);
    const [value, root] = reader.document();
    this.value = value;
    this.repeatedKeys = reader.repeated.map(({ path, offset }) => ({ path, position: positionAt(text, offset) }));
    this.#text = text;
    this.#root = root;
  }

  /** Reads RFC 8259 JSON; throws `JsonTextError`. */
  static read(text: string): JsonText {
    return new JsonText(text);
  }

  /** Where the value at `path` stands; for what is not there, where the object that lacks it stands. */
  positionOfValue(path: JsonPath): Position {
    return positionAt(this.#text, this.#nearest(path).valueOffset);
  }

  /** Where the key stands that ends `path`. */
  positionOfKey(path: JsonPath): Position {
    return positionAt(this.#text, this.#nearest(path).keyOffset);
  }

  #nearest(path: JsonPath): Place {
    let place = this.#root;
    for (const step of path) {
      const next = place.inside.get(step);
      if (next === undefined) break;
      place = next;
    }
    return place;
  }
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf('\n');
  return { line: before.split('\n').length, column: offset - lastBreak };
}

const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
const stringToken = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;
const wordToken = /(?:true|false|null)(?!\w)/y;
const space = /[ \t\r\n]*/y;

type Read = [value: unknown, place: Place];

/** A recursive-descent reader: `JSON.parse` tells no positions and drops repeated keys in silence. */
class Reader {
  readonly repeated: { path: JsonPath; offset: number }[] = [];
  readonly #text: string;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Read {
    const read = this.#value([], 0);
    if (this.#peek() !== '') throw this.#failure('nothing may follow the end of the JSON value');
    return read;
  }

  #value(path: JsonPath, keyOffset: number): Read {
    const next = this.#peek();
    const place = { keyOffset, valueOffset: this.#offset, inside: new Map<PropertyKey, Place>() };
    if (next === '{') return [this.#object(path, place), place];
    if (next === '[') return [this.#array(path, place), place];
    if (next === '"') return [this.#string(), place];
    const token = this.#match(numberToken) ?? this.#match(wordToken);
    if (token === undefined) throw this.#unexpected('a value');
    return [JSON.parse(token), place];
  }

  #object(path: JsonPath, place: Place): object {
    // Without a prototype a key named __proto__ is a key like any other.
    const members: Record<string, unknown> = Object.create(null);
    this.#entries('}', () => {
      const keyOffset = this.#offset;
      if (this.#peek() !== '"') throw this.#unexpected('a key in double quotation marks');
      const key = this.#string();
      if (place.inside.has(key)) this.repeated.push({ path: [...path, key], offset: keyOffset });
      if (this.#peek() !== ':') throw this.#unexpected('":"');
      this.#offset += 1;
      const [value, inside] = this.#value([...path, key], keyOffset);
      members[key] = value;
      place.inside.set(key, inside);
    });
    return members;
  }

  #array(path: JsonPath, place: Place): unknown[] {
    const entries: unknown[] = [];
    this.#entries(']', () => {
      const index = entries.length;
      const [value, inside] = this.#value([...path, index], this.#offset);
      entries.push(value);
      place.inside.set(index, inside);
    });
    return entries;
  }

  #entries(close: string, readEntry: () => void): void {
    this.#offset += 1;
    let commaOffset: number | undefined;
    while (this.#peek() !== close) {
      readEntry();
      commaOffset = undefined;
      if (this.#peek() === close) break;
      if (this.#peek() !== ',') throw this.#unexpected(`"," or "${close}"`);
      commaOffset = this.#offset;
      this.#offset += 1;
    }
    if (commaOffset !== undefined) throw this.#failure(`remove this comma: "${close}" follows it`, commaOffset);
    this.#offset += 1;
  }

  #string(): string {
    const token = this.#match(stringToken);
    if (token === undefined) throw this.#badString();
    return JSON.parse(token);
  }

  /** The next character that is not white space; '' at the end. */
  #peek(): string {
    this.#match(space);
    return this.#text.charAt(this.#offset);
  }

  #match(token: RegExp): string | undefined {
    token.lastIndex = this.#offset;
    const found = token.exec(this.#text)?.[0];
    this.#offset += found?.length ?? 0;
    return found;
  }

  #badString(): JsonTextError {
    const start = this.#offset;
    for (let at = start + 1; at < this.#text.length; at += 1) {
      const character = this.#text.charAt(at);
      if (character === '"') break;
      if (character < ' ') return this.#failure('a string must end on the line it starts on', start);
      if (character !== '\\') continue;
      if (!/^\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/.test(this.#text.slice(at, at + 6))) {
        return this.#failure('JSON has no such escape; a backslash itself is written \\\\', at);
      }
      at += 1;
    }
    return this.#failure('this string is not closed', start);
  }

  #unexpected(wanted: string): JsonTextError {
    const next = this.#peek();
    if (next === '') return this.#failure(`the file ends here, but ${wanted} is missing`);
    if (next === '/' || next === '#') return this.#failure('JSON has no comments');
    if (next === "'") return this.#failure("strings and keys stand in double quotation marks, not in '");
    return this.#failure(`expected ${wanted}, found ${JSON.stringify(this.#word())}`);
  }

  #word(): string {
    return /^(?:[\w.+-]+|.)/su.exec(this.#text.slice(this.#offset, this.#offset + 40))?.[0] ?? '';
  }

  #failure(message: string, offset = this.#offset): JsonTextError {
    return new JsonTextError(message, positionAt(this.#text, offset));
  }
}
