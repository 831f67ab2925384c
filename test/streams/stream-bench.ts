import type { StreamLimits } from '../../src/streams/stream-limits.ts';
import type { XmlLimits } from '../../src/xml/xml-limits.ts';

const xml: XmlLimits = { maxBytes: 10_000, maxElements: 100, maxAttributes: 20, maxDepth: 20, maxNamespaces: 20 };
const rate = { bytesPerSecond: 1e9, burstBytes: 1e9 };

/** Bounds that get in no test's way. */
export const limits: StreamLimits = {
  unauthenticatedXml: { ...xml, maxBytes: 5000 },
  unauthenticatedRate: rate,
  xml,
  rate,
  connection: { outgoingBufferBytes: 1e6, writeStallMs: 10_000 },
  idBytes: 100,
  langBytes: 20,
  tlsHandshakeMs: 5000,
  authenticationMs: 30_000,
  frameCompletionMs: 10_000,
  idlePingAfterMs: 100_000,
  idleCloseAfterMs: 20_000,
  authenticationFailures: 3,
};
