import type { Clock } from './clock.ts';

/** How much may be done in one turn of the event loop: until so many milliseconds have passed, or so much is done. */
interface TurnLimits {
  readonly ms: number;
  readonly amount: number;
}

/** Spreads the work that many cause at the same time over turns of the event loop, so that everybody else is served between. */
export class TurnBudget {
  readonly #limits: TurnLimits;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Pieces of work in the order in which they came. */
  readonly #waiting: { readonly amount: number; readonly go: () => void }[] = [];
  #done = 0;
  #startedMs = 0;
  /** Whether the next turn begins a new budget. */
  #isScheduled = false;

  constructor(limits: TurnLimits, clock: Pick<Clock, 'monotonicMs'>) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Undefined if a piece of work may be done now; otherwise resolves when it may. First come, first served. */
  take(amount: number): Promise<void> | undefined {
    if (!this.#isScheduled) this.#begin();
    if (this.#waiting.length === 0 && this.#hasLeft) {
      this.#done += amount;
      return undefined;
    }
    return new Promise((go) => this.#waiting.push({ amount, go }));
  }

  /** At least one piece is done in each turn. */
  get #hasLeft(): boolean {
    if (this.#done === 0) return true;
    return this.#done < this.#limits.amount && this.#clock.monotonicMs() - this.#startedMs < this.#limits.ms;
  }

  #begin(): void {
    this.#done = 0;
    this.#startedMs = this.#clock.monotonicMs();
    this.#isScheduled = true;
    setImmediate(this.#renew);
  }

  readonly #renew = (): void => {
    this.#isScheduled = false;
    if (this.#waiting.length === 0) return;
    this.#begin();
    this.#release();
  };

  /** Lets the next piece go, and looks at the time when it is done: it is done when its promise has resolved. */
  readonly #release = (): void => {
    if (!this.#hasLeft) return;
    const next = this.#waiting.shift();
    if (!next) return;
    this.#done += next.amount;
    next.go();
    queueMicrotask(this.#release);
  };
}
