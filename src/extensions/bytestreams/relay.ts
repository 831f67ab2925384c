import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock, Timer } from '../../support/clock.ts';
import { TokenBucket } from '../../support/token-bucket.ts';

/** Limits of one transfer. */
export interface RelayLimits {
  /** Bytes per second in both directions together, on average. */
  readonly readBytesPerSecond: number;
  readonly readBurstBytes: number;
  /** A transfer that moves no byte for so long ends. */
  readonly idleMs: number;
}

/**
 * Moves bytes between two connections in both directions. Reads no faster than the other side takes them, and no faster than the limits
 * allow. Resolves when both connections are closed.
 */
export async function relay(one: Duplex, other: Duplex, limits: RelayLimits, clock: Clock): Promise<void> {
  const bucket = new TokenBucket(limits.readBytesPerSecond, limits.readBurstBytes, clock);
  const end = () => {
    one.destroy();
    other.destroy();
  };
  const idle = new IdleWatch(limits.idleMs, clock, end);
  async function* paced(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      const waitMs = bucket.takeInDebt(chunk.length);
      if (waitMs > 0) await elapsed(clock, waitMs);
      idle.moved();
      yield chunk;
    }
  }
  try {
    await Promise.all([pipeline(one, paced, other), pipeline(other, paced, one)]);
  } catch {
    // One side has broken off, so the other has nothing to wait for.
  } finally {
    idle.cancel();
    end();
  }
}

/** Calls `idle` when nothing has moved for `idleMs`. */
class IdleWatch {
  readonly #idleMs: number;
  readonly #clock: Clock;
  readonly #idle: () => void;
  #movedAtMs: number;
  #timer: Timer;

  constructor(idleMs: number, clock: Clock, idle: () => void) {
    this.#idleMs = idleMs;
    this.#clock = clock;
    this.#idle = idle;
    this.#movedAtMs = clock.monotonicMs();
    this.#timer = clock.after(idleMs, this.#look);
  }

  moved(): void {
    this.#movedAtMs = this.#clock.monotonicMs();
  }

  cancel(): void {
    this.#timer.cancel();
  }

  readonly #look = (): void => {
    const leftMs = this.#movedAtMs + this.#idleMs - this.#clock.monotonicMs();
    if (leftMs > 0) this.#timer = this.#clock.after(leftMs, this.#look);
    else this.#idle();
  };
}

function elapsed(clock: Pick<Clock, 'after'>, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}
