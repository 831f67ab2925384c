/** Random numbers from a seed: `AMPERE_KILL_SEED`, or a random one, which tests print. */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  constructor() {
    const { AMPERE_KILL_SEED } = process.env;
    this.seed = AMPERE_KILL_SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(AMPERE_KILL_SEED);
    this.#state = this.seed;
  }

  /** A whole number from `least` to below `limit`. */
  between(least: number, limit: number): number {
    return least + Math.floor(this.#next() * (limit - least));
  }

  /** So many bytes. */
  bytes(count: number): Buffer {
    return Buffer.alloc(count, `${this.between(0, 2 ** 31)} `);
  }

  /** Mulberry32. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
