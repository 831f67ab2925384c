/** The limits of {@link Shares}. */
interface ShareLimits {
  readonly total: number;
  /** The most places of one key. */
  readonly each: number;
}

/** A limited number of places that many keys share, so that no key can take all of them. Forgets keys without a place. */
export class Shares {
  readonly #limits: () => ShareLimits;
  readonly #taken = new Map<string, number>();
  #total = 0;

  /** The limits may change. Places that were taken before stay taken. */
  constructor(limits: () => ShareLimits) {
    this.#limits = limits;
  }

  /** Takes a place. Returns a function that gives it back, to be called once; undefined if no place is free. */
  take(key: string): (() => void) | undefined {
    const { total, each } = this.#limits();
    const taken = this.#taken.get(key) ?? 0;
    if (this.#total >= total || taken >= each) return undefined;
    this.#total += 1;
    this.#taken.set(key, taken + 1);
    return () => this.#giveBack(key);
  }

  #giveBack(key: string): void {
    const left = (this.#taken.get(key) ?? 0) - 1;
    this.#total -= 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }
}
