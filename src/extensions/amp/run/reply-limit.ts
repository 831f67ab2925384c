import type { Jid } from '../../../protocol/jid.ts';
import type { Clock } from '../../../support/clock.ts';
import { TokenBucket } from '../../../support/token-bucket.ts';

/** The rate of replies to one sender. */
export interface ReplyRate {
  readonly perSecond: number;
  readonly burst: number;
}

/** The number of senders from which on those with full buckets are forgotten. */
const rememberedSenders = 10_000;

/** Limits the replies that rules can cause to one account. */
export class ReplyLimit {
  readonly #rate: ReplyRate;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: ReplyRate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes a token: whether another reply may go to the sender now. */
  allows(sender: Jid): boolean {
    const key = sender.bare().toString();
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      if (this.#buckets.size >= rememberedSenders) this.#forgetQuiet();
      bucket = new TokenBucket(this.#rate.perSecond, this.#rate.burst, this.#clock);
      this.#buckets.set(key, bucket);
    }
    return bucket.tryTake();
  }

  #forgetQuiet(): void {
    for (const [key, bucket] of this.#buckets) if (bucket.full) this.#buckets.delete(key);
  }
}
