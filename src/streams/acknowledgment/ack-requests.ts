import type { Clock, Timer } from '../../support/clock.ts';
import type { QueueLimits } from './unacknowledged-queue.ts';

/** When a recipient is asked for an acknowledgment. */
export interface AckRequestLimits {
  /** As soon as this many stanzas are unacknowledged. */
  readonly ackEveryStanzas: number;
  /** When one has been unacknowledged for this long. */
  readonly ackAfterMs: number;
}

/** How much may be unacknowledged, and when the recipient is asked. */
export interface AcknowledgmentLimits extends QueueLimits, AckRequestLimits {}

/** The recipient of stanzas, as far as asking it goes. */
interface AckSource {
  /** How many stanzas it can be asked about now. */
  pending(): number;
  /** Asks it what it has handled. */
  ask(): void;
}

/** Decides when a recipient is asked for an acknowledgment (XEP-0198 §4). At most one request is open at a time. */
export class AckRequests {
  readonly #source: AckSource;
  readonly #limits: AckRequestLimits;
  readonly #standstillMs: number;
  readonly #clock: Clock;
  #openSinceMs: number | undefined;
  #timer: Timer | undefined;

  /** A recipient that has acknowledged nothing new is not asked again within `standstillMs`. */
  constructor(source: AckSource, limits: AckRequestLimits, standstillMs: number, clock: Clock) {
    this.#source = source;
    this.#limits = limits;
    this.#standstillMs = standstillMs;
    this.#clock = clock;
  }

  /** Since when the recipient has left a request unanswered, on the monotonic clock. */
  get openSinceMs(): number | undefined {
    return this.#openSinceMs;
  }

  /** A stanza has been sent: asks about it now or in time. */
  sent(): void {
    if (this.#openSinceMs !== undefined) return;
    if (this.#source.pending() >= this.#limits.ackEveryStanzas) this.now();
    else this.#later(this.#limits.ackAfterMs);
  }

  /** Asks now, unless a request is open or nothing is pending. */
  now(): void {
    this.#cancel();
    if (this.#openSinceMs !== undefined || this.#source.pending() === 0) return;
    this.#openSinceMs = this.#clock.monotonicMs();
    this.#source.ask();
  }

  /** The recipient has acknowledged something new or not; with `urgent` it is asked about the rest at once. */
  answered(progress: boolean, urgent: boolean): void {
    this.#openSinceMs = undefined;
    if (this.#source.pending() === 0) this.#cancel();
    // A recipient that miscounts would be asked in a circle.
    else if (!progress) this.#later(Math.max(this.#standstillMs, this.#limits.ackAfterMs));
    else if (urgent) this.now();
    else this.sent();
  }

  /** Asks no more; an open request will not be answered. */
  stop(): void {
    this.#cancel();
    this.#openSinceMs = undefined;
  }

  #later(delayMs: number): void {
    this.#timer ??= this.#clock.after(delayMs, () => this.now());
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
