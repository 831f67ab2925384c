import type { ThreadLink } from './thread-link.ts';

/** The bytes of one connection on their way to the edge, counted over the last two intervals. An interval ends when the previous one has arrived. */
export class Underway {
  readonly #link: Pick<ThreadLink, 'isTaken'>;
  #lastPut = 0;
  #bytes = 0;
  #earlierLastPut = 0;
  #earlierBytes = 0;

  constructor(link: Pick<ThreadLink, 'isTaken'>) {
    this.#link = link;
  }

  get bytes(): number {
    if (this.#link.isTaken(this.#lastPut)) return 0;
    return this.#bytes + (this.#link.isTaken(this.#earlierLastPut) ? 0 : this.#earlierBytes);
  }

  /** Counts bytes put on the link, with the result of `put`. */
  add(bytes: number, put: number): void {
    if (this.#link.isTaken(this.#earlierLastPut)) {
      this.#earlierBytes = this.#link.isTaken(this.#lastPut) ? 0 : this.#bytes;
      this.#earlierLastPut = this.#lastPut;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    this.#lastPut = put;
  }
}
