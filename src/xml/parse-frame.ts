import { Frame } from './frame.ts';
import { FrameIndexer } from './frame-index.ts';
import { bareContext } from './namespace-scope.ts';
import { contentNs } from './payload.ts';
import { scanDocument, utf8Bytes } from './scan-document.ts';
import { unlimited, type XmlLimits } from './xml-limits.ts';

const contentContext = { ...bareContext, defaultNs: contentNs };

// Indexing is synchronous and never re-entered, so one indexer is enough.
const indexer = new FrameIndexer();

/**
 * One whole element as a frame, as if received on a client's stream with this language. For elements from a store, and for
 * messages of a framed transport (RFC 7395 §3.3.3).
 */
export function parseFrame(bytes: Buffer | string, limits: XmlLimits = unlimited, lang?: string): Frame {
  const whole = utf8Bytes(bytes);
  try {
    const end = scanDocument(indexer.scanner, whole, limits, contentContext);
    return new Frame(whole, 0, end, indexer.take()!, lang === undefined ? contentContext : { ...contentContext, lang });
  } finally {
    indexer.take();
  }
}
