import type { ThreadLink } from './thread-link.ts';

/** Bytes that one connection has on its way to the edge: those of the last two spells, each of which ends when the one before has arrived. */
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

  /** Counts what was put on the link, with the answer of `put`. */
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
