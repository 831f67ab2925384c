import type { Clock } from '../support/clock.ts';

const idsPerMs = 1024;

/**
 * Gives out ids that only grow, whatever the clock does: the milliseconds since 1970, times 1024, plus a count. So rows of different
 * tables can be put in one order, a period is a range of ids, and the caller knows the id of a row before it is written. The ids are
 * safe integers until the year 2248.
 */
export class OrderedIds {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #last: number;

  /** `last` is the largest id that was given out before, by an earlier process too. */
  constructor(clock: Pick<Clock, 'nowMs'>, last = 0) {
    this.#clock = clock;
    this.#last = last;
  }

  /** A new id, larger than all before. */
  next(): number {
    this.#last = Math.max(Math.floor(this.#clock.nowMs()) * idsPerMs, this.#last + 1);
    if (!Number.isSafeInteger(this.#last)) throw new RangeError(`The id ${this.#last} is not a safe integer`);
    return this.#last;
  }
}
