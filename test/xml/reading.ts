import { type StreamHandler, StreamReader } from '../../src/xml/stream-reader.ts';
import { XmlError } from '../../src/xml/xml-error.ts';
import type { XmlLimits } from '../../src/xml/xml-limits.ts';

/** What a client may send after it has authenticated. */
export const clientLimits: XmlLimits = {
  maxBytes: 262_144,
  maxElements: 1000,
  maxAttributes: 64,
  maxDepth: 64,
  maxNamespaces: 64,
};

export const clientHeader =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>";

/** What a reader made of some bytes: everything it handed out, in order, and how it ended. */
export interface Reading {
  readonly events: readonly string[];
  readonly verdict: 'accept' | XmlError['condition'];
  readonly ended: boolean;
  readonly pendingBytes: number;
}

/** Reads chunks as one stream. */
export function read(chunks: Iterable<Buffer>, limits: XmlLimits = clientLimits): Reading {
  const events: string[] = [];
  let ended = false;
  const handler: StreamHandler = {
    header: (header) => events.push(`header ${header.name} ${header.ns} ${JSON.stringify(header.attributes)}`),
    frame: (frame) => events.push(`frame ${frame.ns} ${JSON.stringify(frame.attributes)} ${frame.element()}`),
    end: () => {
      ended = true;
    },
  };
  const reader = new StreamReader(handler, limits);
  try {
    for (const chunk of chunks) reader.push(chunk);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    return { events, verdict: error.condition, ended, pendingBytes: reader.pendingBytes };
  }
  return { events, verdict: 'accept', ended, pendingBytes: reader.pendingBytes };
}

/** Every byte as a chunk of its own. */
export function* bytewise(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}
