import type { Clock, Timer } from '../../src/support/clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A clock that moves only when the test says so. */
export class ManualClock implements Clock {
  #wallMs: number;
  #elapsedMs = 0;
  readonly #pending = new Set<Pending>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const pending = { dueMs: this.#elapsedMs + delayMs, run };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** Number of calls still waiting. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Moves both times on, making every call that falls due, in order. */
  advance(ms: number): void {
    const end = this.#elapsedMs + ms;
    for (let next = this.#earliest(end); next; next = this.#earliest(end)) {
      this.#pending.delete(next);
      this.#move(next.dueMs - this.#elapsedMs);
      next.run();
    }
    this.#move(end - this.#elapsedMs);
  }

  /** Sets the wall clock alone, as an administrator or NTP would. */
  jumpTo(wallMs: number): void {
    this.#wallMs = wallMs;
  }

  #move(ms: number): void {
    this.#elapsedMs += ms;
    this.#wallMs += ms;
  }

  #earliest(limitMs: number): Pending | undefined {
    let found: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs <= limitMs && (!found || pending.dueMs < found.dueMs)) found = pending;
    }
    return found;
  }
}
