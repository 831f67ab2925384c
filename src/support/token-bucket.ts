import type { Clock } from './clock.ts';

/** Allows `ratePerSecond` units on average and `burst` at once. */
export class TokenBucket {
  readonly #ratePerSecond: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledAtMs: number;

  constructor(ratePerSecond: number, burst: number, clock: Clock) {
    this.#ratePerSecond = ratePerSecond;
    this.#burst = burst;
    this.#clock = clock;
    this.#tokens = burst;
    this.#filledAtMs = clock.monotonicMs();
  }

  /** Takes `amount` units if that many are there; says whether it did. */
  tryTake(amount = 1): boolean {
    this.#fill();
    if (this.#tokens < amount) return false;
    this.#tokens -= amount;
    return true;
  }

  /**
   * Takes `amount` units, into debt if need be.
   * Returns the milliseconds to wait until the debt is paid; 0 when there is none.
   */
  takeInDebt(amount: number): number {
    this.#fill();
    this.#tokens -= amount;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#ratePerSecond) * 1000;
  }

  /** True when nothing is owed or spent: the bucket may be forgotten. */
  get full(): boolean {
    this.#fill();
    return this.#tokens >= this.#burst;
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#filledAtMs) / 1000) * this.#ratePerSecond);
    this.#filledAtMs = nowMs;
  }
}
