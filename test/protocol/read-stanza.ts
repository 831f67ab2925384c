import { ns } from '../../src/protocol/namespaces.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import type { Frame } from '../../src/xml/frame.ts';
import { StreamReader } from '../../src/xml/stream-reader.ts';

const limits = { maxBytes: 100_000, maxElements: 1000, maxAttributes: 100, maxDepth: 50, maxNamespaces: 50 };

/** The frames of a stream with this content, read by the real reader. */
export function readFrames(content: string | Buffer, contentNs: string = ns.client): Frame[] {
  const frames: Frame[] = [];
  const reader = new StreamReader({ header() {}, frame: (frame) => frames.push(frame), end() {} }, limits);
  reader.push(Buffer.from(`<stream:stream xmlns='${contentNs}' xmlns:stream='${ns.stream}' xmlns:x='urn:x'>`));
  reader.push(Buffer.from(content));
  return frames;
}

/** The one frame of a stream with this content. */
export function readFrame(content: string | Buffer, contentNs?: string): Frame {
  const [frame, ...others] = readFrames(content, contentNs);
  if (frame === undefined || others.length > 0) throw new Error(`not one frame: ${content}`);
  return frame;
}

/** The one stanza of a stream with this content. */
export function readStanza(content: string | Buffer, contentNs?: string): Stanza {
  return Stanza.fromFrame(readFrame(content, contentNs));
}
