import { performance } from 'node:perf_hooks';

/** A pending call made through {@link Clock.after}. */
export interface Timer {
  /** Prevents the call if it has not happened yet. */
  cancel(): void;
}

/** The time and timers, as an interface, so that tests can replace them. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970; may jump. For stamps only. */
  nowMs(): number;
  /** Whole milliseconds from an arbitrary start; never jumps. For durations and deadlines. */
  monotonicMs(): number;
  /** Calls `run` once, `delayMs` milliseconds from now, without keeping the process alive. */
  after(delayMs: number, run: () => void): Timer;
}

/** `setTimeout` fires at once if the delay exceeds a signed 32-bit number of milliseconds. */
const longestDelayMs = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  // V8 stores an integer inside the object that has it, and any other number on the heap.
  monotonicMs: () => Math.trunc(performance.now()),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, longestDelayMs));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Resolves when `work` has settled, or after `ms` milliseconds. Never rejects. */
export function within(clock: Pick<Clock, 'after'>, ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, resolve);
    const ended = () => {
      timer.cancel();
      resolve();
    };
    work.then(ended, ended);
  });
}
