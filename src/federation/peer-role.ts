import type { StreamError } from '../protocol/stream-error.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Frame } from '../xml/frame.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';
import type { DomainPair } from './domain-pairs.ts';

/** How the initiating side has proved its domain. */
export type Proof = 'certificate' | 'dialback';

/** The negotiation of a stream, from the initiating or the receiving side. */
export interface PeerRole {
  /** `in`: the peer has opened the stream; `out`: we have. */
  readonly direction: 'in' | 'out';
  /** Whether the peer may send dialback requests. */
  readonly acceptsDialback: boolean;
  /** Whether stanzas go in both directions (XEP-0288). */
  readonly bidirectional: boolean;
  /** Multiplies the time after which an idle stream is closed. */
  readonly idleFactor: number;
  /** The local domain, if known. */
  readonly local: string | undefined;
  /** The peer's domain, if known. */
  readonly remote: string | undefined;
  /** How the initiating side has authenticated; undefined until then. */
  readonly proof: Proof | undefined;
  opened(header: StreamHeader): void;
  /** Takes an element of the negotiation; throws StreamError. */
  take(frame: Frame): MaybePromise<void>;
  secured(): void;
  /** The peer has proved a pair of domains. */
  provedBy(method: Proof, pair: DomainPair): void;
  /** Called once, when the stream has ended; `error` is the stream error sent or received. */
  ended?(error: StreamError | undefined): void;
}
