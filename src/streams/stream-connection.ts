import type { TLSSocket } from 'node:tls';
import type { ChannelBinding } from '../tls/channel-binding.ts';
import type { TlsHandshake } from '../tls/tls-options.ts';

/** Bounds on one connection. */
export interface ConnectionLimits {
  readonly outgoingBufferBytes: number;
  readonly writeStallMs: number;
}

/** How fast a connection may be read. */
export interface ReadRate {
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
}

/** What a connection tells the stream on top of it. */
export interface ConnectionUser {
  received(chunk: Buffer): void;
  /** The TLS handshake is done. */
  secured(): void;
  /** The connection is gone, for whatever reason; told once. */
  disconnected(): void;
}

/** Why reading may be suspended. */
export type Pause = 'rate' | 'work' | 'output' | 'link' | 'shutdown';

/** The connection of a client, a server or a component, as its stream sees it. */
export interface StreamConnection {
  /** The peer's IP address. */
  readonly remoteAddress: string;
  /** Whether TLS protects it. */
  readonly secure: boolean;
  /** How an authentication can be tied to its TLS; none without. */
  readonly channelBindings: readonly ChannelBinding[];
  /** Whether nothing more is taken to be written. */
  readonly ended: boolean;
  /** Bytes that wait to leave. */
  readonly outgoingBytes: number;
  /** Whether so much waits to leave that nothing more should be asked for. */
  readonly congested: boolean;
  /** The peer has authenticated: a new rate counts from now on, and channel bindings are not needed any more. */
  limitReading(rate: ReadRate): void;
  /**
   * Writes one part of the stream: its header, a stanza, another element, or its end. A connection that carries messages,
   * as a WebSocket does, makes one message of it (RFC 7395 §3.3.3). A socket queues it until the end of the turn of the
   * event loop, together with what came shortly before. If too many bytes wait the connection is lost, but `disconnected`
   * is told later: nobody is surprised by it in the middle of writing.
   */
  write(...pieces: (string | Buffer)[]): void;
  /** Resolves when little waits to leave, or the connection is gone. */
  flushed(): Promise<void>;
  /** Stops reading until every reason to pause is gone. */
  pause(reason: Pause): void;
  resume(reason: Pause): void;
  /**
   * Puts TLS on the connection, for `host` unless the client names another; `secured` is told after the handshake.
   * `goAhead` is the last that is written in the clear; with it the peer begins the handshake, and white space before that
   * is dropped.
   */
  startTls(start: TlsHandshake, host: string | undefined, goAhead?: string): void;
  /** Closes after what is queued has left; takes nothing more. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
  /** Destroys a connection whose peer has taken nothing for too long. */
  checkStall(nowMs: number): void;
}

/** A connection whose stream judges the certificate of its peer. */
export interface PeerConnection extends StreamConnection {
  /** The TLS layer, if there is one. */
  readonly tls: TLSSocket | undefined;
}
