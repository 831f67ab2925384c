/** A kind of news that a client has asked for, such as roster pushes. The code that sends the news defines the name. */
export type Interest = string;

/** Counts the sessions of an account that have an interest. */
export interface InterestCounter {
  countInterest(interest: Interest, change: 1 | -1): void;
}

/** The interests of one session. Its account counts the sessions that have each of them. */
export class Interests implements Iterable<Interest> {
  readonly #counter: InterestCounter;
  readonly #interests = new Set<Interest>();
  #ended = false;

  constructor(counter: InterestCounter) {
    this.#counter = counter;
  }

  has(interest: Interest): boolean {
    return this.#interests.has(interest);
  }

  /** Adds an interest. Has no effect once the session has ended. */
  add(interest: Interest): void {
    if (this.#ended || this.#interests.has(interest)) return;
    this.#interests.add(interest);
    this.#counter.countInterest(interest, 1);
  }

  delete(interest: Interest): void {
    if (this.#interests.delete(interest)) this.#counter.countInterest(interest, -1);
  }

  /** Removes all interests for good, because the session has ended. */
  end(): void {
    this.#ended = true;
    for (const interest of this.#interests) this.delete(interest);
  }

  [Symbol.iterator](): Iterator<Interest> {
    return this.#interests.values();
  }
}
