import { ampersand, exclamation, greaterThan, lessThan, question, skipSpace, slash } from './char-class.ts';
import { opensCdata, opensDeclaration } from './markup.ts';
import { type NamespaceContext, NamespaceScope } from './namespace-scope.ts';
import { checkReference, scanReference } from './reference.ts';
import { escapedForm, Source, type TextForm } from './source.ts';
import { StartTag } from './start-tag.ts';
import { TextSpan } from './text-span.ts';
import { checkDeclaration } from './xml-declaration.ts';
import { malformed, tooMuch, XmlError } from './xml-error.ts';
import { unlimited, type XmlLimits } from './xml-limits.ts';

/** Receives the tags and the text that the scanner finds. Offsets count from the base of the source. */
export interface ScannerSink {
  startTag(tag: StartTag, depth: number, start: number, end: number): void;
  endTag(depth: number, start: number, end: number): void;
  text(start: number, end: number, form: TextForm): void;
  cdata(start: number, end: number): void;
}

/** The states of the scanner: the grammatical position of the next byte. */
const inProlog = 0;
const afterLessThan = 1;
const inStartTag = 2;
const inText = 3;
const inReference = 4;
const inEndName = 5;
const inEndTag = 6;
const inMarkup = 7;
const inCdata = 8;
const inInstruction = 9;
const inDeclaration = 10;

const noName: Buffer = Buffer.alloc(0);

/**
 * The only XML reader of this server: a strict, resumable scanner for XML 1.0 with namespaces, as restricted by RFC 6120 §11.
 * It can stop at any byte and continue when more arrive. It never rescans a byte of a token, except the first bytes of a
 * character that was cut. It keeps no text, only offsets in the source.
 */
export class Scanner {
  readonly source = new Source();
  readonly scope = new NamespaceScope();
  /** Whether the element, or the start tag asked for, has been scanned to its end. */
  complete = false;
  /** The number of open elements. */
  depth = 0;

  readonly #tag = new StartTag(this.source);
  readonly #sink: ScannerSink;
  #limits = unlimited;
  #state = inProlog;
  #stopAtStartTag = false;
  /** The name of the stream, which an end tag without a start tag may close. */
  #outerName = noName;
  #elements = 0;
  #tokenStart = 0;
  #endNameStart = 0;
  #referenceStart = 0;
  readonly #run = new TextSpan();
  /** Start and length of the name of each open element. */
  readonly #names: number[] = [];

  constructor(sink: ScannerSink) {
    this.#sink = sink;
  }

  /** Starts on a document. With `startTagOnly` it is complete once the root is open: a stream header (RFC 6120 §4.2). */
  beginDocument(context: NamespaceContext, limits: XmlLimits, startTagOnly: boolean): void {
    this.#begin(context, limits);
    this.#state = inProlog;
    this.#stopAtStartTag = startTagOnly;
    this.#outerName = noName;
  }

  /** Starts on an element inside the stream `streamName`, or on the stream's end tag. */
  beginFrame(context: NamespaceContext, limits: XmlLimits, streamName: Buffer): void {
    this.#begin(context, limits);
    this.#state = inText;
    this.#stopAtStartTag = false;
    this.#outerName = streamName;
  }

  /** The bytes of the last element name, copied. */
  elementName(): Buffer {
    const { bytes, base } = this.source;
    return Buffer.from(bytes.subarray(base + this.#tag.nameStart, base + this.#tag.nameEnd));
  }

  #inStream(): boolean {
    return this.#outerName.length > 0;
  }

  #begin(context: NamespaceContext, limits: XmlLimits): void {
    this.scope.enter(context);
    this.#limits = limits;
    this.#tag.limits = limits;
    this.complete = false;
    this.depth = 0;
    this.#elements = 0;
    this.#tag.declarations = 0;
    this.#run.begin(0);
  }

  /**
   * Scans from `at` up to `end`, or until it is complete. Returns the offset at which to continue. If it is not complete, that
   * can be before `end` by the first bytes of a character that `end` cuts.
   */
  scan(at: number, end: number): number {
    let p = at;
    while (p < end && !this.complete) {
      p = this.#step(p, end);
      if (p < 0) return ~p;
    }
    return p;
  }

  /** Scans in one state. Returns the complement of the offset of a character that `end` cuts. */
  #step(p: number, end: number): number {
    switch (this.#state) {
      case inText:
        return this.#text(p, end);
      case inStartTag:
        return this.#startTag(p, end);
      case afterLessThan:
        return this.#afterLessThan(p, end);
      case inReference:
        return this.#reference(p, end);
      case inEndName:
        return this.#endName(p, end);
      case inEndTag:
        return this.#endTag(p, end);
      case inCdata:
        return this.#cdata(p, end);
      case inMarkup:
        return this.#markup(p);
      case inInstruction:
        return this.#instruction(p);
      case inDeclaration:
        return this.#declaration(p, end);
      default:
        return this.#prolog(p, end);
    }
  }

  #prolog(at: number, end: number): number {
    const { bytes, base } = this.source;
    if (at === base && (bytes[at] === 0 || bytes[at]! >= 0xfe)) {
      throw new XmlError('unsupported-encoding', 'only UTF-8 is spoken here');
    }
    const p = skipSpace(bytes, at, end);
    if (p === end) return p;
    if (bytes[p] !== lessThan) malformed('text outside the root element');
    return this.#open(p, end);
  }

  #text(at: number, end: number): number {
    const { source } = this;
    const p = this.#run.scan(source, at, end);
    if (p < 0 || p === end) return p;
    if (source.bytes[p] === ampersand) {
      this.#run.form = escapedForm;
      this.#referenceStart = p + 1 - source.base;
      this.#state = inReference;
      return p + 1;
    }
    const { start, form } = this.#run;
    if (p - source.base > start) this.#sink.text(start, p - source.base, form);
    return this.#open(p, end);
  }

  #open(p: number, end: number): number {
    this.#tokenStart = p - this.source.base;
    this.#state = afterLessThan;
    return p + 1 < end ? this.#afterLessThan(p + 1, end) : p + 1;
  }

  #afterLessThan(p: number, end: number): number {
    const byte = this.source.bytes[p];
    if (byte === slash) return this.#openEndTag(p);
    if (byte === exclamation || byte === question) {
      this.#state = byte === exclamation ? inMarkup : inInstruction;
      return p + 1;
    }
    if (this.#elements >= this.#limits.maxElements) tooMuch('too many elements');
    if (this.depth >= this.#limits.maxDepth) tooMuch('elements nested too deeply');
    this.#elements++;
    this.#tag.begin(p - this.source.base);
    this.#state = inStartTag;
    return this.#startTag(p, end);
  }

  #startTag(at: number, end: number): number {
    const tag = this.#tag;
    const p = tag.scan(at, end);
    if (!tag.complete) return p;
    const next = p - this.source.base;
    this.#names[2 * this.depth] = tag.nameStart;
    this.#names[2 * this.depth + 1] = tag.nameEnd - tag.nameStart;
    this.depth++;
    tag.resolve(this.scope, this.depth);
    this.#sink.startTag(tag, this.depth, this.#tokenStart, next);
    this.#enterText(next);
    if (this.#stopAtStartTag) {
      this.complete = true;
      if (tag.empty) this.depth = 0;
    } else if (tag.empty) this.#endElement(next, next);
    return p;
  }

  #reference(at: number, end: number): number {
    const { bytes, base } = this.source;
    const p = scanReference(bytes, at, end);
    if (p < 0 || p === end) return p;
    checkReference(bytes.toString('latin1', base + this.#referenceStart, p));
    this.#state = inText;
    return p + 1;
  }

  #enterText(start: number): void {
    this.#run.begin(start);
    this.#state = inText;
  }

  #openEndTag(p: number): number {
    if (this.depth === 0 && !this.#inStream()) malformed('an end tag without a start tag');
    this.#endNameStart = p + 1 - this.source.base;
    this.#state = inEndName;
    return p + 1;
  }

  /** Compares the name with that of the element to close; it must be the same bytes (XML 1.0 §3). */
  #endName(at: number, end: number): number {
    const { bytes, base } = this.source;
    const top = 2 * (this.depth - 1);
    const name = top < 0 ? this.#outerName : bytes;
    const start = top < 0 ? 0 : base + this.#names[top]!;
    const length = top < 0 ? name.length : this.#names[top + 1]!;
    const offset = start - (base + this.#endNameStart);
    const stop = Math.min(end, base + this.#endNameStart + length);
    let p = at;
    while (p < stop) {
      if (bytes[p] !== name[p + offset]) malformed('an end tag does not match its start tag');
      p++;
    }
    if (p === end) return p;
    this.#state = inEndTag;
    return this.#endTag(p, end);
  }

  #endTag(at: number, end: number): number {
    const { bytes, base } = this.source;
    const p = skipSpace(bytes, at, end);
    if (p === end) return p;
    if (bytes[p] !== greaterThan) malformed('an end tag does not match its start tag');
    if (this.depth === 0) this.complete = true;
    else this.#endElement(this.#tokenStart, p + 1 - base);
    return p + 1;
  }

  #endElement(start: number, end: number): void {
    this.#sink.endTag(this.depth, start, end);
    this.scope.leave(this.depth);
    this.depth--;
    this.#enterText(end);
    if (this.depth === 0) this.complete = true;
  }

  #markup(p: number): number {
    const { bytes, base } = this.source;
    if (opensCdata(bytes[p]!, p - base - this.#tokenStart)) {
      if (this.depth === 0) throw new XmlError('bad-format', 'text outside of an element');
      this.#run.begin(p + 1 - base);
      this.#state = inCdata;
    }
    return p + 1;
  }

  #cdata(at: number, end: number): number {
    const { source } = this;
    const p = this.#run.scanCdata(source, at, end);
    if (p < 0 || p === end) return p;
    this.#sink.cdata(this.#run.start, p - 2 - source.base);
    this.#enterText(p + 1 - source.base);
    return p + 1;
  }

  #instruction(p: number): number {
    const { bytes, base } = this.source;
    if (!opensDeclaration(bytes[p]!, p - base - this.#tokenStart)) return p + 1;
    // It is the XML declaration only at the very start of a document (XML 1.0 §2.8).
    if (this.#tokenStart !== 0 || this.#inStream()) malformed('an XML declaration must be at the start');
    this.#state = inDeclaration;
    return p;
  }

  #declaration(at: number, end: number): number {
    const { bytes, base } = this.source;
    let p = at;
    while (p < end && bytes[p] !== greaterThan) p++;
    if (p === end) return p;
    checkDeclaration(bytes.toString('latin1', base, p + 1));
    this.#state = inProlog;
    return p + 1;
  }
}
