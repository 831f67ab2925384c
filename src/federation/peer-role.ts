import type { StreamError } from '../protocol/stream-error.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Frame } from '../xml/frame.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';
import type { DomainPair } from './domain-pairs.ts';

/** How a peer, or we, have proved who may send. */
export type Proof = 'certificate' | 'dialback';

/** The side of a stream that negotiates: that of whoever has opened it, or the other. */
export interface PeerRole {
  /** Who has opened the stream: the peer, or we. */
  readonly direction: 'in' | 'out';
  /** Whether the peer may ask to be believed. */
  readonly mayAsk: boolean;
  /** Whether stanzas go both ways (XEP-0288). */
  readonly bidirectional: boolean;
  /** How often over the time of an idle stream it is waited for the peer to close it. */
  readonly patience: number;
  /** Our domain, as far as it is known. */
  readonly local: string | undefined;
  /** That of the peer, as far as it is known. */
  readonly remote: string | undefined;
  /** How whoever has opened the stream has proved who it is. */
  readonly proof: Proof | undefined;
  opened(header: StreamHeader): void;
  /** Takes an element of the negotiation; throws StreamError. */
  take(frame: Frame): MaybePromise<void>;
  secured(): void;
  /** The peer has proved that it may send for a pair. */
  provedBy(method: Proof, pair: DomainPair): void;
  /** The stream is over; told once. `error` is what was wrong, by our word or the peer's. */
  ended?(error: StreamError | undefined): void;
}
