import type { Clock } from '../support/clock.ts';
import type { StreamLimits } from './stream-limits.ts';

/** A missed deadline. `ping`: the peer has been silent for so long that it must be pinged. */
export type Overdue = 'handshake' | 'authentication' | 'frame' | 'ping' | 'answer';

/** The phase of a stream: `over` when it ignores input, `ended` when the connection is gone. */
export type StreamPhase = 'securing' | 'negotiating' | 'bound' | 'over' | 'ended';

/** The deadlines of one stream. */
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

  /** Bytes were received. */
  read(): void {
    this.#readAtMs = this.#clock.monotonicMs();
    this.#pingedAtMs = undefined;
  }

  /** A TLS handshake starts. */
  securing(): void {
    this.#securingSinceMs = this.#clock.monotonicMs();
  }

  /** A whole frame was received. */
  frameDone(): void {
    this.#frameSinceMs = undefined;
  }

  /** Reports whether the input ends within a frame. */
  framePending(pending: boolean): void {
    if (pending) this.#frameSinceMs ??= this.#clock.monotonicMs();
    else this.#frameSinceMs = undefined;
  }

  /** The peer was pinged. Further pings do not extend its time to answer. */
  pinged(): void {
    this.#pingedAtMs ??= this.#clock.monotonicMs();
  }

  /** Restarts the time to answer: the ping has not been sent yet, or reading is paused. */
  answerDelayed(): void {
    if (this.#pingedAtMs !== undefined) this.#pingedAtMs = this.#clock.monotonicMs();
  }

  /** The deadline missed by now, if any. */
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
