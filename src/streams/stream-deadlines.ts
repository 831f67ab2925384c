import type { Clock } from '../support/clock.ts';
import type { StreamLimits } from './stream-limits.ts';

/** The deadline that a stream has missed. `ping`: nothing has come for so long that the peer must be asked for a sign of life. */
export type Overdue = 'handshake' | 'authentication' | 'frame' | 'ping' | 'answer';

/** Where a stream stands, as far as its wire cares: `over` when it takes no more, `ended` when the connection is gone. */
export type StreamPhase = 'securing' | 'negotiating' | 'bound' | 'over' | 'ended';

/** Keeps the time of one stream. */
export class StreamDeadlines {
  readonly #limits: StreamLimits;
  readonly #clock: Clock;
  readonly #acceptedAtMs: number;
  #readAtMs: number;
  #securingSinceMs = 0;
  #frameSinceMs: number | undefined;
  #pingedAtMs: number | undefined;

  constructor(limits: StreamLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#acceptedAtMs = clock.monotonicMs();
    this.#readAtMs = this.#acceptedAtMs;
  }

  /** Bytes have come. */
  read(): void {
    this.#readAtMs = this.#clock.monotonicMs();
    this.#pingedAtMs = undefined;
  }

  /** A TLS handshake begins. */
  securing(): void {
    this.#securingSinceMs = this.#clock.monotonicMs();
  }

  /** A whole frame has come. */
  frameDone(): void {
    this.#frameSinceMs = undefined;
  }

  /** Whether part of a frame is there, after all that could be read was. */
  framePending(pending: boolean): void {
    if (pending) this.#frameSinceMs ??= this.#clock.monotonicMs();
    else this.#frameSinceMs = undefined;
  }

  /** The client has been asked for a sign of life; asking again gives it no more time. */
  pinged(): void {
    this.#pingedAtMs ??= this.#clock.monotonicMs();
  }

  /** The question has not reached the client, or its answer cannot reach us: the time for the answer begins anew. */
  answerDelayed(): void {
    if (this.#pingedAtMs !== undefined) this.#pingedAtMs = this.#clock.monotonicMs();
  }

  /** What is overdue now, if anything. */
  overdue(phase: StreamPhase, nowMs: number): Overdue | undefined {
    const limits = this.#limits;
    if (phase === 'over' || phase === 'ended') return undefined;
    if (phase === 'securing' && nowMs - this.#securingSinceMs > limits.tlsHandshakeMs) return 'handshake';
    if (phase !== 'bound' && nowMs - this.#acceptedAtMs > limits.authenticationMs) return 'authentication';
    if (this.#frameSinceMs !== undefined && nowMs - this.#frameSinceMs > limits.frameCompletionMs) return 'frame';
    return phase === 'bound' ? this.#inactivity(nowMs) : undefined;
  }

  #inactivity(nowMs: number): 'ping' | 'answer' | undefined {
    const { idlePingAfterMs, idleCloseAfterMs } = this.#limits;
    if (this.#pingedAtMs !== undefined) return nowMs - this.#pingedAtMs > idleCloseAfterMs ? 'answer' : undefined;
    return nowMs - this.#readAtMs > idlePingAfterMs ? 'ping' : undefined;
  }
}
