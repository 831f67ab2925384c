import type { Jid } from '../../../protocol/jid.ts';
import type { Clock } from '../../../support/clock.ts';
import { type Rate, TokenBuckets } from '../../../support/token-buckets.ts';

/** Limits the replies that rules can cause to one account. */
export class ReplyLimit {
  readonly #buckets: TokenBuckets;

  constructor(rate: Rate, clock: Clock) {
    this.#buckets = new TokenBuckets(rate, clock);
  }

  /** Takes a token: whether another reply may go to the sender now. */
  allows(sender: Jid): boolean {
    return this.#buckets.tryTake(sender.bare().toString());
  }
}
