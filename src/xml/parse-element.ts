import type { Element } from './element.ts';
import { bareContext, type NamespaceContext } from './namespace-scope.ts';
import { scanDocument, utf8Bytes } from './scan-document.ts';
import { TreeBuilder } from './tree-builder.ts';
import { unlimited, type XmlLimits } from './xml-limits.ts';

// Reading is synchronous and never re-entered, so one builder is enough.
const builder = new TreeBuilder();

/** One whole element as a tree. Its default namespace is declared on it, even if it comes from `defaultNs`. */
export function parseElement(bytes: Buffer | string, limits: XmlLimits = unlimited, defaultNs = ''): Element {
  return readElement(utf8Bytes(bytes), limits, { ...bareContext, defaultNs });
}

/** One whole element as a tree, with `context` declared around it. */
export function readElement(bytes: Buffer, limits: XmlLimits, context: NamespaceContext): Element {
  try {
    scanDocument(builder.scanner, bytes, limits, context);
    return builder.take()!;
  } finally {
    builder.take();
  }
}
