import type { Stanza } from '../protocol/stanza.ts';
import type { Element } from '../xml/element.ts';
import { serialise } from '../xml/serialise.ts';
import { type StreamHandler, type StreamHeader, StreamReader } from '../xml/stream-reader.ts';
import type { XmlLimits } from '../xml/xml-limits.ts';
import type { StreamConnection } from './stream-connection.ts';
import { type ContentNs, checkHeader, type HeaderAttributes, headerText } from './stream-header.ts';

/** Reads one direction of a stream, and hands it out piece by piece; `StreamReader` is the one for TCP. */
export interface FrameReader {
  /** For the next frame. */
  limits: XmlLimits;
  readonly paused: boolean;
  /** Bytes taken in that are not part of a finished frame. */
  readonly pendingBytes: number;
  /** Whether nothing has been taken in that is not handed out, but for white space between frames. */
  readonly idle: boolean;
  /** Takes in what the connection has received; throws `XmlError`. */
  push(chunk: Buffer): void;
  /** Stops handing out, also from within the handler; what comes meanwhile is kept. */
  pause(): void;
  /** Goes on with what was kept; throws as `push` does. */
  resume(): void;
  /** Expects a new stream header next (RFC 6120 §4.3.3). */
  restart(): void;
}

/**
 * How the parts of a stream are written and read on its connection. Over TCP a stream is one XML document (RFC 6120 §4.2);
 * over WebSocket each part is a document of its own, in a message of its own (RFC 7395 §3.3). Each part is written by one
 * call of `StreamConnection.write`.
 */
export interface Framing {
  /** A reader of what the peer sends. */
  reader(handler: StreamHandler, limits: XmlLimits): FrameReader;
  /** Throws the `StreamError` for a header that no stream of this kind can begin with. */
  check(header: StreamHeader): void;
  /** The header of our side. */
  open(attributes: HeaderAttributes): string;
  /** An element that is no stanza. */
  element(element: Element): string;
  /** Writes a stanza; the pieces go to the connection without an array of their own, because there are many stanzas. */
  writeStanza(connection: Pick<StreamConnection, 'write'>, stanza: Stanza): void;
  /** The end of our side. */
  close(): string;
}

/** A stream as one XML document whose default namespace is that of its content (RFC 6120 §4.8.2). */
export class TcpFraming implements Framing {
  readonly contentNs: ContentNs;

  constructor(contentNs: ContentNs) {
    this.contentNs = contentNs;
  }

  reader(handler: StreamHandler, limits: XmlLimits): FrameReader {
    return new StreamReader(handler, limits);
  }

  check(header: StreamHeader): void {
    checkHeader(header, this.contentNs);
  }

  open(attributes: HeaderAttributes): string {
    return headerText(attributes, this.contentNs);
  }

  element(element: Element): string {
    return serialise(element, this.contentNs);
  }

  writeStanza(connection: Pick<StreamConnection, 'write'>, stanza: Stanza): void {
    connection.write(stanza.head(), stanza.payload.bytes, stanza.tail());
  }

  close(): string {
    return '</stream:stream>';
  }
}
