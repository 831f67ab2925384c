import type { Clock, Timer } from '../support/clock.ts';
import { TokenBucket } from '../support/token-bucket.ts';
import { pauseBits } from './connection.ts';
import type { Pause, ReadRate } from './stream-connection.ts';

/** Starts and stops the reading of a connection. */
interface Reading {
  stop(): void;
  start(): void;
}

/** Decides when a connection is read: not while there is a reason to pause, one of which is that its peer sends too fast. */
export class ReadControl {
  readonly #reading: Reading;
  readonly #clock: Clock;
  #rate: TokenBucket;
  #timer: Timer | undefined;
  #pauses = 0;

  constructor(rate: ReadRate, clock: Clock, reading: Reading) {
    this.#reading = reading;
    this.#clock = clock;
    this.#rate = new TokenBucket(rate.bytesPerSecond, rate.burstBytes, clock);
  }

  /** Whether there is a reason to pause. */
  get paused(): boolean {
    return this.#pauses !== 0;
  }

  limit(rate: ReadRate): void {
    this.#rate = new TokenBucket(rate.bytesPerSecond, rate.burstBytes, this.#clock);
  }

  /** Counts bytes that were read. Pauses until the rate allows more. */
  count(bytes: number): void {
    const waitMs = this.#rate.takeInDebt(bytes);
    if (waitMs <= 0) return;
    this.pause('rate');
    this.#timer?.cancel();
    this.#timer = this.#clock.after(waitMs, () => this.resume('rate'));
  }

  pause(reason: Pause): void {
    this.#pauses |= pauseBits[reason];
    this.#reading.stop();
  }

  resume(reason: Pause): void {
    const others = this.#pauses & ~pauseBits[reason];
    if (others === this.#pauses) return;
    this.#pauses = others;
    if (others === 0) this.#reading.start();
  }

  /** Forgets every reason to pause. */
  end(): void {
    this.#timer?.cancel();
    this.#pauses = 0;
  }
}
