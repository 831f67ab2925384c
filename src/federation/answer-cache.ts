import type { Clock } from '../support/clock.ts';

/** Records, and how long they are valid. */
export interface Answer<T> {
  readonly records: readonly T[];
  readonly ttlMs: number;
}

const maxAnswers = 1000;

/** Caches the newest thousand answers until they expire. Empty answers are not cached. */
export class AnswerCache<T> {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #answers = new Map<string, { readonly records: readonly T[]; readonly untilMs: number }>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** The cached records of the name, otherwise those that `find` returns. */
  async records(name: string, find: () => Promise<Answer<T>>): Promise<readonly T[]> {
    const known = this.#answers.get(name);
    if (known && known.untilMs > this.#clock.monotonicMs()) return known.records;
    const { records, ttlMs } = await find();
    this.#answers.delete(name);
    if (records.length > 0) this.#answers.set(name, { records, untilMs: this.#clock.monotonicMs() + ttlMs });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > maxAnswers && oldest !== undefined) this.#answers.delete(oldest);
    return records;
  }
}
