import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Timer } from './clock.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** How many times as long as a step it rests after it: others seldom have to wait for a step. */
const restFactor = 4;

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
 * Removes old data every hour, a little in each step, and rests between, so that other operations seldom wait. The age of data depends on the clock of the
 * machine: if it jumps by more than a day, nothing is removed for its age on the next day. So a clock that is wrong for a while does not
 * empty the store.
 */
export class Tidying {
  readonly #deps: TidyingDeps;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopping = new AbortController();
  #wanted = false;
  #stopped = false;
  /** The clock when it was looked at last, and until when it is not trusted. */
  #seen = { wallMs: 0, monotonicMs: 0 };
  #untrustedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deps: TidyingDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#stopped) this.#stopping = new AbortController();
    this.#stopped = false;
    this.#seen = this.#look();
    this.#again();
  }

  /** Ends after the step that is under way. It can be started again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#stopping.abort();
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
        await this.#removeAll(this.#deps.plan(this.#trustsClock()));
      }
    } catch (error) {
      this.#deps.failed(error);
    }
    this.#running = undefined;
  }

  async #removeAll(removeSome: () => Promise<boolean>): Promise<void> {
    for (;;) {
      const beganMs = performance.now();
      if (this.#stopped || !(await removeSome())) return;
      await this.#rest(restFactor * (performance.now() - beganMs));
    }
  }

  async #rest(restMs: number): Promise<void> {
    const { signal } = this.#stopping;
    if (!signal.aborted) await sleep(restMs, undefined, { signal }).catch(() => undefined);
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
