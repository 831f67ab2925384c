import {
  findNodeAtLocation,
  getNodePath,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';

/** A place in a text. Both numbers start at 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The keys and indexes that lead from the root of a JSON text to one of its values. */
export type JsonPath = readonly PropertyKey[];

/** A text that is not JSON: the fault and its position. */
export class JsonTextError extends Error {
  readonly position: Position;

  constructor(message: string, position: Position) {
    super(message);
    this.position = position;
  }
}

/** A parsed JSON text: its value and the position of each part of it. */
export class JsonText {
  readonly value: unknown;
  /** Keys that occur more than once in their object. */
  readonly repeatedKeys: readonly { readonly path: JsonPath; readonly position: Position }[];
  readonly #text: string;
  readonly #root: Node;

  private constructor(text: string, root: Node) {
    this.value = getNodeValue(root);
    this.repeatedKeys = repeatedKeysIn(root).map((key) => ({
      path: getNodePath(key),
      position: positionAt(text, key.offset),
    }));
    this.#text = text;
    this.#root = root;
  }

  /** Parses JSON with comments and commas before a closing bracket; throws `JsonTextError`. */
  static read(text: string): JsonText {
    const errors: ParseError[] = [];
    const root = parseTree(text, errors, { allowTrailingComma: true });
    const [first, second] = errors;
    if (first !== undefined) throw failure(text, first, second);
    if (root === undefined) throw new JsonTextError('no value', { line: 1, column: 1 });
    return new JsonText(text, root);
  }

  /** The position of the value at `path`; if the value is missing, that of the innermost object around it. */
  positionOfValue(path: JsonPath): Position {
    return positionAt(this.#text, this.#nearest(path).offset);
  }

  /** The position of the key that ends `path`. */
  positionOfKey(path: JsonPath): Position {
    const value = this.#nearest(path);
    return positionAt(this.#text, value.parent?.type === 'property' ? value.parent.offset : value.offset);
  }

  #nearest(path: JsonPath): Node {
    let nearest = this.#root;
    for (const step of path) {
      const next = findNodeAtLocation(nearest, [typeof step === 'number' ? step : String(step)]);
      if (next === undefined) break;
      nearest = next;
    }
    return nearest;
  }
}

/** The nodes of keys that repeat an earlier key of the same object. */
function repeatedKeysIn({ type, children = [] }: Node): Node[] {
  const seen = new Set<unknown>();
  return children.flatMap((child) => {
    const [key] = type === 'object' ? (child.children ?? []) : [];
    const repeated = key !== undefined && seen.has(key.value) ? [key] : [];
    seen.add(key?.value);
    return [...repeated, ...repeatedKeysIn(child)];
  });
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** What the parser expected, by error code. */
const expectations = new Map([
  ['PropertyNameExpected', 'a key in double quotation marks'],
  ['ValueExpected', 'a value'],
  ['ColonExpected', '":"'],
  ['CommaExpected', '","'],
  ['CloseBraceExpected', '"," or "}"'],
  ['CloseBracketExpected', '"," or "]"'],
  ['EndOfFileExpected', 'the end of the file'],
]);

const badEscape = 'JSON has no such escape; a backslash itself is written \\\\';

/** What is wrong, by the names of the other error codes. */
const explanations = new Map([
  ['UnexpectedEndOfComment', 'this comment is not closed'],
  ['UnexpectedEndOfString', 'this string is not closed on its line'],
  ['UnexpectedEndOfNumber', 'this number is incomplete'],
  ['InvalidUnicode', badEscape],
  ['InvalidEscapeCharacter', badEscape],
  ['InvalidCharacter', 'this string contains a control character; write it as an escape, such as \\t'],
]);

/** Errors inside a string, for which the parser gives the offset of the string. */
const inString = new Set(['InvalidUnicode', 'InvalidEscapeCharacter', 'InvalidCharacter']);

/** The beginning of a string token up to its first bad escape or control character. */
const validBeginning = /^(?:[^\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/u;

/** Explains the first error: later errors follow from it. */
function failure(text: string, first: ParseError, second: ParseError | undefined): JsonTextError {
  const found = text.slice(first.offset, first.offset + first.length);
  const code = printParseErrorCode(first.error);
  const within = inString.has(code) ? (validBeginning.exec(found)?.[0].length ?? 0) : 0;
  const expected = code === 'InvalidSymbol' ? expectedInstead(text, first, second) : expectations.get(code);
  const message = explanations.get(code) ?? expectationText(expected, found);
  return new JsonTextError(message, positionAt(text, first.offset + within));
}

function expectationText(expected: string | undefined, found: string): string {
  if (found.startsWith("'")) return "strings and keys stand in double quotation marks, not in '";
  if (expected === undefined) return `unexpected ${JSON.stringify(found)}`;
  return `expected ${expected}, found ${found === '' ? 'the end of the file' : JSON.stringify(found)}`;
}

/** The parser skips an unknown symbol. An error directly behind it says what was expected in its place. */
function expectedInstead(text: string, symbol: ParseError, next: ParseError | undefined): string | undefined {
  if (next === undefined) return undefined;
  const between = text.slice(symbol.offset + symbol.length, next.offset);
  return between.trim() === '' ? expectations.get(printParseErrorCode(next.error)) : undefined;
}
