import type { TLSSocket } from 'node:tls';
import type { ChannelBinding } from '../tls/channel-binding.ts';
import type { TlsHandshake } from '../tls/tls-options.ts';

/** Limits on one connection. */
export interface ConnectionLimits {
  readonly outgoingBufferBytes: number;
  readonly writeStallMs: number;
}

/** How fast a connection may be read. */
export interface ReadRate {
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
}

/** Receives the events of a connection. */
export interface ConnectionUser {
  received(chunk: Buffer): void;
  /** The TLS handshake is done. */
  secured(): void;
  /** The connection is gone, for any reason; called once. */
  disconnected(): void;
}

/** A reason to pause reading. */
export type Pause = 'rate' | 'work' | 'output' | 'link' | 'shutdown';

/** The connection of a client, a server or a component, as its stream sees it. */
export interface StreamConnection {
  /** The peer's IP address. */
  readonly remoteAddress: string;
  /** Whether TLS protects it. */
  readonly secure: boolean;
  /** The channel bindings of its TLS session; empty without TLS. */
  readonly channelBindings: readonly ChannelBinding[];
  /** Whether further writes are ignored. */
  readonly ended: boolean;
  /** Unsent bytes. */
  readonly outgoingBytes: number;
  /** Bytes written since the connection began. */
  readonly sentBytes: number;
  /** Whether there are so many unsent bytes that no more output should be produced. */
  readonly congested: boolean;
  /** The peer has authenticated: sets its read rate, and frees the channel bindings. */
  limitReading(rate: ReadRate): void;
  /**
   * Writes one part of the stream: its header, a stanza, another element, or its end. A connection that carries messages,
   * as a WebSocket does, makes one message of it (RFC 7395 §3.3.3). A socket queues all parts until the end of the turn of the
   * event loop. With too many unsent bytes the connection is lost, but `disconnected`
   * is called later, never during a write.
   */
  write(...pieces: (string | Buffer)[]): void;
  /** Resolves when few bytes are unsent, or the connection is gone. */
  flushed(): Promise<void>;
  /** Pauses reading until no reason to pause is left. */
  pause(reason: Pause): void;
  resume(reason: Pause): void;
  /**
   * Starts TLS on the connection, unless it has TLS already, for `host` unless the client names another; `secured` is called
   * after the handshake.
   * `goAhead` is the last plaintext written. It makes the peer start the handshake; white space before the handshake is
   * dropped.
   */
  startTls(start: TlsHandshake, host: string | undefined, goAhead?: string): void;
  /** Ignores further writes, and closes when the queue has left. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
  /** Destroys the connection if its peer has read nothing for too long. */
  checkStall(nowMs: number): void;
}

/** A connection whose stream checks the certificate of its peer. */
export interface PeerConnection extends StreamConnection {
  /** The TLS layer, if there is one. */
  readonly tls: TLSSocket | undefined;
}
