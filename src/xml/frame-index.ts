import type { NamespaceScope } from './namespace-scope.ts';
import { type Child, contentNs } from './payload.ts';
import { Scanner, type ScannerSink } from './scanner.ts';
import type { Attribute, StartTag } from './start-tag.ts';
import { XmlError } from './xml-error.ts';

class IndexedChild implements Child {
  readonly name: string;
  readonly ns: string;
  readonly start: number;
  end = 0;

  constructor(name: string, ns: string, start: number) {
    this.name = name;
    this.ns = ns;
    this.start = start;
  }
}

/** The index of a frame. Offsets count from its first byte, those of children from the start of its payload. */
export class FrameIndex {
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly Attribute[];
  readonly payloadStart: number;
  payloadEnd: number;
  readonly children: IndexedChild[] = [];
  /** Whether the bytes of the payload mean the same inside any stanza. */
  portable = true;

  constructor(tag: StartTag, scope: NamespaceScope, payloadStart: number) {
    this.name = tag.localName;
    this.ns = tag.ns;
    this.attributes = tag.attributes(scope);
    this.payloadStart = payloadStart;
    this.payloadEnd = payloadStart;
  }
}

/** Indexes the outermost element, and the elements directly inside it. */
export class FrameIndexer implements ScannerSink {
  readonly scanner = new Scanner(this);
  /** The name of the element around the frames, which cannot be a frame itself. */
  root: { readonly name: string; readonly ns: string } | undefined;
  #index: FrameIndex | undefined;
  #child: IndexedChild | undefined;

  constructor() {
    this.scanner.scope.innerDepth = 2;
  }

  /** The index of the scanned frame. The caller owns it. */
  take(): FrameIndex | undefined {
    const index = this.#index;
    this.#index = undefined;
    this.#child = undefined;
    return index;
  }

  startTag(tag: StartTag, depth: number, start: number, end: number): void {
    const { scope } = this.scanner;
    if (depth === 1) {
      // Its end tag would end the stream, so the frame would never end (RFC 6120 §4.3.3).
      if (tag.localName === this.root?.name && tag.ns === this.root.ns) throw openAlready();
      this.#index = new FrameIndex(tag, scope, end);
      this.#index.portable = scope.defaultNs === scope.context.defaultNs;
      scope.borrowed = undefined;
    } else if (depth === 2) {
      const ns = tag.ns === scope.context.defaultNs ? contentNs : tag.ns;
      this.#child = new IndexedChild(tag.localName, ns, start - this.#index!.payloadStart);
      this.#index!.children.push(this.#child);
    }
  }

  endTag(depth: number, start: number, end: number): void {
    const index = this.#index!;
    if (depth === 2) this.#child!.end = end - index.payloadStart;
    else if (depth === 1) {
      index.payloadEnd = start;
      if (!this.#isPortable()) index.portable = false;
    }
  }

  /** Whether it uses no prefix from outside and does not name the content namespace, which can differ on the next stream. */
  #isPortable(): boolean {
    const { borrowed, restatesContent } = this.scanner.scope;
    return borrowed === undefined && !restatesContent;
  }

  text(): void {
    // Text stays in the bytes.
  }

  cdata(): void {
    // Text stays in the bytes.
  }
}

function openAlready(): XmlError {
  return new XmlError('bad-format', 'the stream is open already');
}
