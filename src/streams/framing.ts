import type { Stanza } from '../protocol/stanza.ts';
import type { Element } from '../xml/element.ts';
import { serialize } from '../xml/serialize.ts';
import { type StreamHandler, type StreamHeader, StreamReader } from '../xml/stream-reader.ts';
import type { XmlLimits } from '../xml/xml-limits.ts';
import type { StreamConnection } from './stream-connection.ts';
import { type ContentNs, checkHeader, type HeaderAttributes, headerText } from './stream-header.ts';

/** Reads one direction of a stream, frame by frame. `StreamReader` implements it for TCP. */
export interface FrameReader {
  /** The limits for the next frame. */
  limits: XmlLimits;
  readonly paused: boolean;
  /** Bytes read that are not part of a finished frame. */
  readonly pendingBytes: number;
  /** Whether all input has been handled, except white space between frames. */
  readonly idle: boolean;
  /** Reads a chunk from the connection; throws `XmlError`. */
  push(chunk: Buffer): void;
  /** Pauses the calls of the handler, also from within the handler. Input is kept meanwhile. */
  pause(): void;
  /** Continues with the kept input; throws as `push` does. */
  resume(): void;
  /** Expects a new stream header next (RFC 6120 §4.3.3). */
  restart(): void;
}

/**
 * How the parts of a stream are written and read on its connection. Over TCP a stream is one XML document (RFC 6120 §4.2);
 * over WebSocket each part is a separate document in its own message (RFC 7395 §3.3). Each part is written by one
 * call of `StreamConnection.write`.
 */
export interface Framing {
  /** A reader for the peer's side. */
  reader(handler: StreamHandler, limits: XmlLimits): FrameReader;
  /** Throws `StreamError` if a stream of this kind cannot begin with the header. */
  check(header: StreamHeader): void;
  /** Our stream header. */
  open(attributes: HeaderAttributes): string;
  /** An element that is not a stanza. */
  element(element: Element): string;
  /** Writes a stanza. It passes the pieces directly to the connection, because an array per stanza would be expensive. */
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
    return serialize(element, this.contentNs);
  }

  writeStanza(connection: Pick<StreamConnection, 'write'>, stanza: Stanza): void {
    connection.write(stanza.head(), stanza.payload.bytes, stanza.tail());
  }

  close(): string {
    return '</stream:stream>';
  }
}
