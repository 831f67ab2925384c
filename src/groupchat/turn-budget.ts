/** The most copies of presence in one turn of the event loop, apart from those of the command that exceeds it. */
const copiesInTurn = 100;

interface Waiting {
  readonly copies: number;
  readonly go: () => void;
}

/**
 * Spreads what many who come or go at the same time cost over turns of the event loop, so that everybody else is served between. All rooms
 * of a server share one.
 */
export class TurnBudget {
  readonly #waiting: Waiting[] = [];
  #left = copiesInTurn;
  #isRenewing = false;

  /** Undefined if so many copies may be made now; otherwise resolves in a later turn. First come, first served. */
  take(copies: number): Promise<void> | undefined {
    if (copies === 0) return undefined;
    if (!this.#isRenewing) {
      this.#isRenewing = true;
      setImmediate(this.#renew);
    }
    if (this.#waiting.length === 0 && this.#left > 0) {
      this.#left -= copies;
      return undefined;
    }
    return new Promise((go) => this.#waiting.push({ copies, go }));
  }

  readonly #renew = (): void => {
    this.#left = copiesInTurn;
    while (this.#left > 0) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#left -= next.copies;
      next.go();
    }
    this.#isRenewing = this.#left < copiesInTurn;
    if (this.#isRenewing) setImmediate(this.#renew);
  };
}
