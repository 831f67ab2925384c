import { Frame } from './frame.ts';
import { FrameIndexer } from './frame-index.ts';
import { bareContext } from './namespace-scope.ts';
import { contentNs } from './payload.ts';
import { scanDocument, utf8Bytes } from './scan-document.ts';
import { unlimited, type XmlLimits } from './xml-limits.ts';

const contentContext = { ...bareContext, defaultNs: contentNs };

// Indexing a document calls nobody back, so one indexer serves all.
const indexer = new FrameIndexer();

/** One whole stanza as a frame, as if it had come on a stream of clients: from a store, or from a framed transport. */
export function parseFrame(bytes: Buffer | string, limits: XmlLimits = unlimited): Frame {
  const whole = utf8Bytes(bytes);
  try {
    const end = scanDocument(indexer.scanner, whole, limits, contentContext);
    return new Frame(whole, 0, end, indexer.take()!, contentContext);
  } finally {
    indexer.take();
  }
}
