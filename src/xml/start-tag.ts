import {
  ampersand,
  apostrophe,
  colon,
  doubleQuote,
  equals,
  greaterThan,
  nameStartByte,
  nameStop,
  nonAscii,
  skip,
  skipSpace,
  slash,
  space,
  valueStop,
} from './char-class.ts';
import type { NamespaceScope } from './namespace-scope.ts';
import { checkReference, scanReference } from './reference.ts';
import { escapedForm, type Source, wideForm } from './source.ts';
import { checkNameStart, nameCharacterLength, valueCharacterLength } from './special-character.ts';
import {
  declaresFlag,
  nameColon,
  nameEnd,
  nameStart,
  spanLength,
  TagSpans,
  valueEnd,
  valueStart,
  wideNameFlag,
} from './tag-spans.ts';
import { malformed, tooMuch } from './xml-error.ts';
import { unlimited } from './xml-limits.ts';

/** An attribute of a start tag (XML 1.0 §3.1); its value is decoded and normalized. */
export interface Attribute {
  /** The local name. */
  readonly name: string;
  readonly prefix: string;
  /** The namespace, '' for an attribute without a prefix. */
  readonly ns: string;
  readonly value: string;
}

/** The states of scanning a tag: the position of the next byte. */
const inName = 0;
const betweenAttributes = 1;
const beforeEquals = 2;
const beforeValue = 3;
const inValue = 4;
const inReference = 5;
const behindSlash = 6;

const xmlns = Buffer.from('xmlns');

/** The start tag being scanned, as offsets in the source. Reused for the next one. */
export class StartTag {
  readonly source: Source;
  limits = unlimited;
  /** The number of namespace declarations in the frame so far. */
  declarations = 0;
  /** Whether the tag has been scanned to its end, and whether its end was `/>`. */
  complete = false;
  empty = false;
  /** The namespace of the element. */
  ns = '';
  #state = inName;
  readonly #spans: TagSpans;
  #spaced = false;
  #quote = 0;
  #referenceStart = 0;
  #declares = false;
  #prefixed = 0;
  /** A bit for the length and the first byte of each attribute's name: two names with the same bit may be the same. */
  #nameBits = 0;
  #mayRepeat = false;

  constructor(source: Source) {
    this.source = source;
    this.#spans = new TagSpans(source);
  }

  /** The span of the element's name. */
  get nameStart(): number {
    return this.#spans.numbers[nameStart]!;
  }
  get nameEnd(): number {
    return this.#spans.numbers[nameEnd]!;
  }

  begin(start: number): void {
    this.complete = false;
    this.empty = false;
    this.#declares = false;
    this.#prefixed = 0;
    this.#nameBits = 0;
    this.#mayRepeat = false;
    this.#state = inName;
    this.#spans.begin(start);
  }

  /**
   * Scans from `at` past the tag, or to `end`. Returns the complement of the offset of a character that `end` cuts. One
   * function with its state in local variables, because most of the time is spent here.
   */
  scan(at: number, end: number): number {
    const { bytes, base } = this.source;
    const spans = this.#spans;
    let state = this.#state;
    let p = at;
    while (p < end) {
      if (state === inName) {
        p = skip(bytes, nameStop, p, end);
        if (p === end) break;
        if (bytes[p] === colon || bytes[p]! >= nonAscii) {
          const length = this.#nameCharacter(p, end);
          if (length === 0) return this.#pause(state, ~p);
          p += length;
          continue;
        }
        state = this.#endOfName(p - base);
      }
      if (state === betweenAttributes) {
        if (bytes[p]! <= space) this.#spaced = true;
        p = skipSpace(bytes, p, end);
        if (p === end) break;
        if (bytes[p] === greaterThan) return this.#close(p);
        state = this.#beginAttribute(p);
        if (state === behindSlash) p++;
        continue;
      }
      if (state === beforeEquals) {
        p = skipSpace(bytes, p, end);
        if (p === end) break;
        if (bytes[p] !== equals) malformed('an attribute without a value');
        state = beforeValue;
        if (++p === end) break;
      }
      if (state === beforeValue) {
        p = skipSpace(bytes, p, end);
        if (p === end) break;
        this.#beginValue(p);
        state = inValue;
        if (++p === end) break;
      }
      if (state === inValue) p = skip(bytes, valueStop, p, end);
      if (p === end) break;
      if (state === inValue && bytes[p] === this.#quote) {
        spans.numbers[spans.last + valueEnd] = p - base;
        state = betweenAttributes;
        this.#spaced = false;
        p++;
      } else {
        this.#state = state;
        p = this.#scanRare(p, end);
        if (p < 0 || this.complete) return p;
        state = this.#state;
      }
    }
    return this.#pause(state, p);
  }

  #pause(state: number, p: number): number {
    this.#state = state;
    return p;
  }

  #beginValue(p: number): void {
    const { bytes, base } = this.source;
    const quote = bytes[p]!;
    if (quote !== apostrophe && quote !== doubleQuote) malformed('an attribute value without quotes');
    this.#quote = quote;
    this.#spans.numbers[this.#spans.last + valueStart] = p + 1 - base;
  }

  /** Scans in the less frequent states. */
  #scanRare(at: number, end: number): number {
    const { bytes, base } = this.source;
    if (this.#state === inValue) return this.#specialInValue(at, end);
    if (this.#state === behindSlash) {
      if (bytes[at] !== greaterThan) malformed("'/' in a start tag");
      this.empty = true;
      return this.#close(at);
    }
    const p = scanReference(bytes, at, end);
    if (p < 0 || p === end) return p;
    checkReference(bytes.toString('latin1', base + this.#referenceStart, p));
    this.#state = inValue;
    return p + 1;
  }

  #close(p: number): number {
    this.complete = true;
    return p + 1;
  }

  #beginAttribute(p: number): number {
    const { bytes, base } = this.source;
    if (bytes[p] === slash) return behindSlash;
    if (!this.#spaced) malformed('missing white space before an attribute');
    if (this.#spans.last >= this.limits.maxAttributes * spanLength) tooMuch('too many attributes');
    this.#spans.add(p - base);
    return inName;
  }

  /** The length of a character in a name that is not an ASCII letter, 0 if it is cut. */
  #nameCharacter(p: number, end: number): number {
    const { bytes, base } = this.source;
    const spans = this.#spans;
    if (bytes[p] !== colon) {
      spans.setFlag(wideNameFlag);
      return nameCharacterLength(bytes, p, end);
    }
    if (spans.numbers[spans.last + nameColon]! >= 0) malformed('a name with two colons');
    spans.numbers[spans.last + nameColon] = p - base;
    return 1;
  }

  #specialInValue(p: number, end: number): number {
    const { bytes, base } = this.source;
    const byte = bytes[p]!;
    const form = byte >= nonAscii ? wideForm : escapedForm;
    if (byte !== apostrophe && byte !== doubleQuote) this.#spans.setFlag(form);
    if (byte === ampersand) {
      this.#referenceStart = p + 1 - base;
      this.#state = inReference;
      return p + 1;
    }
    const length = valueCharacterLength(bytes, p, end);
    return length === 0 ? ~p : p + length;
  }

  /** Checks a name: both its halves must begin with a character that may begin a name (Namespaces in XML 1.0 §4). */
  #endOfName(end: number): number {
    const { bytes, base } = this.source;
    const { numbers: spans, last: at } = this.#spans;
    const start = spans[at + nameStart]!;
    const colonAt = spans[at + nameColon]!;
    spans[at + nameEnd] = end;
    const first = bytes[base + start]!;
    if (nameStartByte[first] !== 1) checkNameStart(bytes, base + start, base + end);
    if (colonAt >= 0) checkNameStart(bytes, base + colonAt + 1, base + end);
    this.#spaced = false;
    if (at === 0) return betweenAttributes;
    this.#classify(first, start, colonAt, end);
    return beforeEquals;
  }

  #classify(first: number, start: number, colonAt: number, end: number): void {
    const bit = 1 << (first + 5 * (end - start));
    if ((this.#nameBits & bit) !== 0) this.#mayRepeat = true;
    this.#nameBits |= bit;
    const prefixLength = (colonAt < 0 ? end : colonAt) - start;
    if (prefixLength === xmlns.length && this.#isXmlns(start)) this.#countDeclaration();
    else if (colonAt >= 0) this.#prefixed++;
  }

  #isXmlns(start: number): boolean {
    const { bytes, base } = this.source;
    let i = 0;
    while (i < xmlns.length && bytes[base + start + i] === xmlns[i]) i++;
    return i === xmlns.length;
  }

  #countDeclaration(): void {
    this.#spans.setFlag(declaresFlag);
    this.#declares = true;
    this.declarations++;
    if (this.declarations > this.limits.maxNamespaces) tooMuch('too many namespace declarations');
  }

  /** The element's name, without and with its prefix. */
  get localName(): string {
    return this.#spans.local(0);
  }

  get qualifiedName(): string {
    return this.#spans.qualified(0);
  }

  /** Puts the declarations in force and checks all names with them (Namespaces in XML 1.0 §6). */
  resolve(scope: NamespaceScope, depth: number): void {
    if (this.#declares) this.#declare(scope, depth);
    this.ns = this.#spans.numbers[nameColon]! < 0 ? scope.defaultNs : scope.resolve(this.#spans.prefix(0));
    if (this.#mayRepeat) this.#refuseRepetition();
    if (this.#prefixed > 0) this.#resolveAttributes(scope);
  }

  /** The attributes, without the namespace declarations. */
  attributes(scope: NamespaceScope): Attribute[] {
    const attributes: Attribute[] = [];
    for (let at = spanLength; at <= this.#spans.last; at += spanLength) {
      if (this.#spans.declares(at)) continue;
      const prefix = this.#spans.prefix(at);
      const ns = prefix === '' ? '' : scope.resolve(prefix);
      attributes.push({ name: this.#spans.local(at), prefix, ns, value: this.#spans.value(at) });
    }
    return attributes;
  }

  /** Copies the attributes as they are written, namespace declarations included. */
  copyAttributes(to: Record<string, string | undefined>): void {
    const spans = this.#spans;
    for (let at = spanLength; at <= spans.last; at += spanLength) to[spans.qualified(at)] = spans.value(at);
  }

  #declare(scope: NamespaceScope, depth: number): void {
    for (let at = spanLength; at <= this.#spans.last; at += spanLength) {
      if (!this.#spans.declares(at)) continue;
      const prefix = this.#spans.numbers[at + nameColon]! < 0 ? '' : this.#spans.local(at);
      scope.declare(prefix, this.#spans.namespace(at), depth);
    }
  }

  #refuseRepetition(): void {
    const count = this.#spans.last / spanLength;
    const names = new Set<string>();
    for (let at = spanLength; at <= this.#spans.last; at += spanLength) names.add(this.#spans.qualified(at));
    if (names.size < count) malformed('duplicate attribute');
  }

  /** Two prefixes can be bound to one namespace, so the expanded names are compared, too (Namespaces in XML 1.0 §6.3). */
  #resolveAttributes(scope: NamespaceScope): void {
    const seen = this.#prefixed > 1 ? new Map<string, Set<string>>() : undefined;
    for (let at = spanLength; at <= this.#spans.last; at += spanLength) {
      if (this.#spans.numbers[at + nameColon]! < 0 || this.#spans.declares(at)) continue;
      const ns = scope.resolve(this.#spans.prefix(at));
      if (seen === undefined) continue;
      const names = seen.get(ns) ?? new Set();
      if (names.has(this.#spans.local(at))) malformed('duplicate attribute');
      seen.set(ns, names.add(this.#spans.local(at)));
    }
  }
}
