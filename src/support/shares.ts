/** How much there is to share. */
interface ShareLimits {
  readonly total: number;
  /** For each of those who share. */
  readonly each: number;
}

/** Places that many share: nobody gets all of them. Forgets whoever has none. */
export class Shares {
  readonly #limits: () => ShareLimits;
  readonly #taken = new Map<string, number>();
  #total = 0;

  /** The limits may change; who has more than they allow keeps it. */
  constructor(limits: () => ShareLimits) {
    this.#limits = limits;
  }

  /** Takes a place; answers how to give it back, once, or nothing if there is none. */
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
