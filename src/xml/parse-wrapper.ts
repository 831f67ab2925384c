import { isWhiteSpace } from './char-class.ts';
import { childElements } from './element.ts';
import { type FrameIndex, FrameIndexer } from './frame-index.ts';
import { bareContext, contentNs } from './namespace-scope.ts';
import { readElement } from './parse-element.ts';
import { scanDocument } from './scan-document.ts';
import { serialize } from './serialize.ts';
import type { Attribute } from './start-tag.ts';
import { malformed, XmlError } from './xml-error.ts';
import type { XmlLimits } from './xml-limits.ts';

/** An element that carries others in one document, each of which goes its own way (XEP-0124 §6). */
export interface Wrapper {
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly Attribute[];
  /** Each child as a document of its own. A child without a namespace, or in that of the wrapper, is in the content namespace. */
  readonly children: readonly Buffer[];
  /** What is wrong behind the start tag. Then there are no children. */
  readonly fault: XmlError | undefined;
}

// Indexing is synchronous and never re-entered, so one indexer is enough.
const indexer = new FrameIndexer();

/** Reads a wrapper. Throws `XmlError` if there is no start tag. */
export function parseWrapper(bytes: Buffer, limits: XmlLimits): Wrapper {
  const fault = scan(bytes, limits);
  const borrows = indexer.scanner.scope.borrowed !== undefined;
  const index = indexer.take();
  if (index === undefined) throw fault ?? malformed('no element');
  const { name, ns, attributes } = index;
  if (fault) return { name, ns, attributes, children: [], fault };
  if (hasText(bytes, index)) {
    return { name, ns, attributes, children: [], fault: new XmlError('bad-format', 'text between stanzas') };
  }
  const children = borrows ? rewrittenChildren(bytes, limits, ns) : childrenOf(bytes, index);
  return { name, ns, attributes, children, fault: undefined };
}

function scan(bytes: Buffer, limits: XmlLimits): XmlError | undefined {
  try {
    scanDocument(indexer.scanner, bytes, limits, bareContext);
    return undefined;
  } catch (error) {
    if (error instanceof XmlError) return error;
    throw error;
  }
}

function childrenOf(bytes: Buffer, { payloadStart, children }: FrameIndex): Buffer[] {
  return children.map(({ start, end }) => bytes.subarray(payloadStart + start, payloadStart + end));
}

function hasText(bytes: Buffer, { payloadStart, payloadEnd, children }: FrameIndex): boolean {
  const starts = [...children.map(({ start }) => payloadStart + start), payloadEnd];
  const ends = [payloadStart, ...children.map(({ end }) => payloadStart + end)];
  return starts.some((start, at) => !isWhiteSpace(bytes.subarray(ends[at], start)));
}

/** The children with the declarations that they use and only the wrapper has. */
function rewrittenChildren(bytes: Buffer, limits: XmlLimits, ns: string): Buffer[] {
  const wrapper = readElement(bytes, limits, bareContext);
  if (wrapper.attrs.xmlns === ns) wrapper.attrs.xmlns = contentNs;
  return childElements(wrapper).map((child) => Buffer.from(serialize(child)));
}
