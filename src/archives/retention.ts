import type { ArchiveLimits, ArchiveStore } from '../storage/archive.ts';
import { firstIdAt } from '../storage/ordered-ids.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Clock, Timer } from '../support/clock.ts';
import type { Log } from '../support/log.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What the operator decides about the size of archives. */
export interface RetentionOptions {
  /** Days that messages are kept; null for ever. */
  readonly keepDays: number | null;
  /** The most messages of one archive; null for no limit. */
  readonly maxPerArchive: number | null;
}

/** Dependencies of the retention. */
interface RetentionDeps {
  readonly store: Pick<ArchiveStore, 'tidy' | 'newId'>;
  readonly options: RetentionOptions;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Removes old messages every hour, a few in each step, so that other operations go on between. The age of a message depends on the clock
 * of the machine: if it jumps by more than a day, nothing is removed for its age on the next day. So a clock that is wrong for a while
 * does not empty the archives.
 */
export class Retention {
  readonly #deps: RetentionDeps;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #wanted = false;
  #stopped = false;
  /** The clock when it was looked at last, and until when it is not trusted. */
  #seen = { wallMs: 0, monotonicMs: 0 };
  #untrustedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deps: RetentionDeps) {
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
        const limits = this.#limits();
        while (!this.#stopped && (await this.#deps.store.tidy(limits)));
      }
    } catch (error) {
      // What may pass is tried again in an hour.
      const isPassing = error instanceof StorageError && error.isPassing;
      if (!isPassing) this.#deps.log.error({ err: error }, 'old messages were not removed from the archives');
    }
    this.#running = undefined;
  }

  #limits(): ArchiveLimits {
    const { options, store, clock } = this.#deps;
    const { keepDays, maxPerArchive } = options;
    const removes = keepDays !== null && this.#trustsClock();
    return {
      removeBeforeId: removes ? firstIdAt(clock.nowMs() - keepDays * dayMs) : 0,
      maxMessages: maxPerArchive ?? Number.MAX_SAFE_INTEGER,
      indexBeforeId: store.newId(),
    };
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
