import type { Clock, Timer } from './clock.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Dependencies of {@link Tidying}. */
interface TidyingDeps {
  /**
   * Decides what is too old or too much, and returns a function that removes a little of it and resolves with true if more is left to do.
   * `trustsClock` is false while nothing may be removed for its age.
   */
  readonly plan: (trustsClock: boolean) => () => Promise<boolean>;
  /** Called with the error of a step. The next hour tries again. */
  readonly failed: (error: unknown) => void;
  readonly clock: Clock;
}

/**
 * Removes old data every hour, a little in each step, so that other operations go on between. The age of data depends on the clock of the
 * machine: if it jumps by more than a day, nothing is removed for its age on the next day. So a clock that is wrong for a while does not
 * empty the store.
 */
export class Tidying {
  readonly #deps: TidyingDeps;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #wanted = false;
  #stopped = false;
  /** The clock when it was looked at last, and until when it is not trusted. */
  #seen = { wallMs: 0, monotonicMs: 0 };
  #untrustedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deps: TidyingDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#seen = this.#look();
    this.#again();
  }

  /** Ends after the step that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.settled();
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Removes what is to be removed now. */
  wake(): void {
    if (this.#stopped) return;
    this.#wanted = true;
    this.#running ??= this.#run();
  }

  #again(): void {
    this.#timer = this.#deps.clock.after(hourMs, () => {
      this.wake();
      this.#again();
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#wanted) {
        this.#wanted = false;
        const removeSome = this.#deps.plan(this.#trustsClock());
        while (!this.#stopped && (await removeSome()));
      }
    } catch (error) {
      this.#deps.failed(error);
    }
    this.#running = undefined;
  }

  #trustsClock(): boolean {
    const [before, now] = [this.#seen, this.#look()];
    this.#seen = now;
    const jumpMs = Math.abs(now.wallMs - before.wallMs - (now.monotonicMs - before.monotonicMs));
    if (jumpMs > dayMs) this.#untrustedUntilMs = now.monotonicMs + dayMs;
    return now.monotonicMs >= this.#untrustedUntilMs;
  }

  #look() {
    const { clock } = this.#deps;
    return { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  }
}
