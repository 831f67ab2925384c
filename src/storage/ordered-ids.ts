import type { Clock } from '../support/clock.ts';

const idsPerMs = 1024;

/**
 * Makes increasing ids, whatever the clock does: the milliseconds since 1970, times 1024, plus a count. So rows of different
 * tables have one order, a period is a range of ids, and the caller knows the id of a row before it is written. The ids are
 * safe integers until the year 2248.
 */
export class OrderedIds {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #last: number;

  /** `last` is the largest id used before, including by earlier processes. */
  constructor(clock: Pick<Clock, 'nowMs'>, last = 0) {
    this.#clock = clock;
    this.#last = last;
  }

  /** A new id, larger than all earlier ones. */
  next(): number {
    this.#last = Math.max(Math.floor(this.#clock.nowMs()) * idsPerMs, this.#last + 1);
    if (!Number.isSafeInteger(this.#last)) throw new RangeError(`The id ${this.#last} is not a safe integer`);
    return this.#last;
  }
}

/** The smallest id of a moment, in milliseconds since 1970. */
export function firstIdAt(timeMs: number): number {
  return Math.floor(timeMs) * idsPerMs;
}

/** The moment of an id, in milliseconds since 1970. */
export function timeOfId(id: number): number {
  return Math.floor(id / idsPerMs);
}
