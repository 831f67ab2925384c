/** A flat copy of a text, which does not keep a longer text alive that it was cut from. */
export const flatCopy = (text: string): string => Buffer.from(text).toString();

/**
 * A bounded cache of values by short keys. When it is full, it drops the older half of its entries at once.
 * Keys must be flat copies, or an entry would retain the stanza its key was cut from.
 */
export class InternCache<Value> {
  readonly #halfCapacity: number;
  readonly #longestKey: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  /** Entries with longer keys are not kept. */
  constructor(capacity: number, longestKey = 128) {
    this.#halfCapacity = Math.ceil(capacity / 2);
    this.#longestKey = longestKey;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(flatCopy(key), old);
    return old;
  }

  set(key: string, value: Value): void {
    if (key.length > this.#longestKey) return;
    if (this.#young.size >= this.#halfCapacity) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
