import type { Clock } from './clock.ts';
import { TokenBucket } from './token-bucket.ts';

/** An average for each second, and how many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** The number of buckets from which on full ones are dropped, and the oldest one if none is full. */
const maxBuckets = 10_000;

/** A token bucket for each key. A key without a bucket has all its tokens. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes a token of a key. Returns whether there was one. */
  tryTake(key: string): boolean {
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      if (this.#buckets.size >= maxBuckets) this.#makeRoom();
      bucket = new TokenBucket(this.#rate.perSecond, this.#rate.burst, this.#clock);
      this.#buckets.set(key, bucket);
    }
    return bucket.tryTake();
  }

  #makeRoom(): void {
    for (const [key, bucket] of this.#buckets) if (bucket.full) this.#buckets.delete(key);
    if (this.#buckets.size < maxBuckets) return;
    for (const oldest of this.#buckets.keys()) return void this.#buckets.delete(oldest);
  }
}
