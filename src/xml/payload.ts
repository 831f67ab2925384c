import type { Element } from './element.ts';
import { escapeText } from './escape.ts';
import { contentNs } from './namespace-scope.ts';
import { readElement } from './parse-element.ts';
import { scanDocument } from './scan-document.ts';
import type { Scanner } from './scanner.ts';
import { serialize } from './serialize.ts';
import { unlimited } from './xml-limits.ts';

export { contentNs } from './namespace-scope.ts';

const contentContext = { defaultNs: contentNs, prefixes: new Map<string, string>() };
const noBytes = Buffer.alloc(0);

/** A direct child element of a stanza: its expanded name and its bytes, from `start` to before `end`. */
export interface Child {
  readonly name: string;
  readonly ns: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The content of a stanza: immutable bytes with an index of the direct child elements. It means the same inside any
 * start tag whose default namespace is the content namespace.
 */
export class Payload {
  static readonly empty = new Payload(noBytes, []);

  readonly bytes: Buffer;
  readonly children: readonly Child[];

  constructor(bytes: Buffer, children: readonly Child[]) {
    this.bytes = bytes;
    this.children = children;
  }

  /** A payload of these children. */
  static of(...elements: readonly Element[]): Payload {
    return Payload.ofContent(elements, contentNs);
  }

  /** A payload of one child that is written already, by code that knows its name, its namespace and how to escape. */
  static ofWritten(name: string, ns: string, child: string | Buffer): Payload {
    const bytes = typeof child === 'string' ? Buffer.from(child) : child;
    return new Payload(bytes, [{ name, ns, start: 0, end: bytes.length }]);
  }

  /** A payload of elements and text in which `defaultNs` names the content namespace. */
  static ofContent(nodes: readonly (Element | string)[], defaultNs: string): Payload {
    if (nodes.length === 0) return Payload.empty;
    const children: Child[] = [];
    const parts: Buffer[] = [];
    let at = 0;
    for (const node of nodes) {
      const part = Buffer.from(typeof node === 'string' ? escapeText(node) : serialize(node, defaultNs));
      if (typeof node !== 'string') {
        const ns = node.getNS() ?? defaultNs;
        children.push({
          name: node.getName(),
          ns: ns === defaultNs ? contentNs : ns,
          start: at,
          end: at + part.length,
        });
      }
      parts.push(part);
      at += part.length;
    }
    return new Payload(parts.length === 1 ? parts[0]! : Buffer.concat(parts), children);
  }

  /** Whether it has a child of this name and namespace. */
  has(name: string, ns: string): boolean {
    return this.find(name, ns) !== undefined;
  }

  /** The first child of this name and namespace. */
  find(name: string, ns: string): Child | undefined {
    for (const child of this.children) if (child.name === name && child.ns === ns) return child;
    return undefined;
  }

  /** A child as a tree. */
  element(child: Child): Element {
    return readElement(this.bytes.subarray(child.start, child.end), unlimited, contentContext);
  }

  /** Scans a child. Offsets count from its first byte. */
  scan(child: Child, scanner: Scanner): void {
    scanDocument(scanner, this.bytes.subarray(child.start, child.end), unlimited, contentContext);
  }

  /** All children as trees. */
  elements(): Element[] {
    return this.children.map((child) => this.element(child));
  }

  /** The payload without the children that `drop` picks. */
  without(drop: (child: Child) => boolean): Payload {
    const kept: Buffer[] = [];
    const children: Child[] = [];
    let from = 0;
    let dropped = 0;
    for (const child of this.children) {
      if (drop(child)) {
        kept.push(this.bytes.subarray(from, child.start));
        from = child.end;
        dropped += child.end - child.start;
      } else children.push(moved(child, -dropped));
    }
    if (dropped === 0) return this;
    if (dropped === this.bytes.length) return Payload.empty;
    kept.push(this.bytes.subarray(from));
    return new Payload(Buffer.concat(kept), children);
  }

  /** The payload with these children after its own. */
  with(...elements: readonly Element[]): Payload {
    return elements.length === 0 ? this : this.joined(Payload.of(...elements));
  }

  /** The payload with the content of others behind its own. */
  joined(...added: readonly Payload[]): Payload {
    const children = [...this.children];
    const parts = [this.bytes];
    let at = this.bytes.length;
    for (const { bytes, children: more } of added) {
      for (const child of more) children.push(moved(child, at));
      parts.push(bytes);
      at += bytes.length;
    }
    return new Payload(Buffer.concat(parts, at), children);
  }

  /** The same payload with bytes that share no memory with others, to be kept for long. */
  detached(): Payload {
    const bytes = Buffer.allocUnsafeSlow(this.bytes.length);
    this.bytes.copy(bytes);
    return new Payload(bytes, this.children);
  }

  /** The payload with `text` in place of some bytes of one child. The child must keep its name and namespace. */
  spliced(start: number, end: number, text: string): Payload {
    const { bytes } = this;
    const length = Buffer.byteLength(text);
    const growth = length - (end - start);
    const spliced = Buffer.allocUnsafe(bytes.length + growth);
    bytes.copy(spliced, 0, 0, start);
    spliced.write(text, start);
    bytes.copy(spliced, start + length, end);
    const children = this.children.map((child) => shifted(child, start, end, growth));
    return new Payload(spliced, children);
  }
}

/** Moves a child after the bytes from `start` to `end`, in it or in another child, have grown. */
function shifted(child: Child, start: number, end: number, growth: number): Child {
  if (child.end <= start) return child;
  if (child.start >= end && child.start > start) return moved(child, growth);
  return { name: child.name, ns: child.ns, start: child.start, end: child.end + growth };
}

function moved({ name, ns, start, end }: Child, by: number): Child {
  return { name, ns, start: start + by, end: end + by };
}
