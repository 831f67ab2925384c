import { StorageError } from '../../storage/storage-error.ts';
import { type Clock, within } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { type Reroute, redeliver, type Undelivered } from './redelivery.ts';

/** On a full disk some of it settles only when there is room; until then it is on the disk, where the next start finds it. */
const patienceMs = 10_000;

/** Dependencies of taking stanzas back. */
interface PendingRedeliveriesDeps {
  readonly route: Reroute;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Log;
}

/** Stanzas that could not be delivered and are on the road again, until they are durable where they go. */
export class PendingRedeliveries {
  readonly #deps: PendingRedeliveriesDeps;
  readonly #open = new Set<Promise<void>>();

  constructor(deps: PendingRedeliveriesDeps) {
    this.#deps = deps;
  }

  /** Puts stanzas back on the road; resolves when all of them are on it. */
  take(undelivered: readonly Undelivered[], domain: string): Promise<void> {
    return this.#track(redeliver(undelivered, domain, this.#deps.route, (work) => void this.#track(work)));
  }

  /** Resolves when all of it is durable where it has gone, or has stayed where it was; or when that takes too long. */
  async settled(): Promise<void> {
    await within(this.#deps.clock, patienceMs, this.#allSettled());
  }

  /** What has gone back can come back once more. */
  async #allSettled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  #track(work: Promise<void>): Promise<void> {
    const tracked = work
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#open.delete(tracked);
      });
    this.#open.add(tracked);
    return tracked;
  }

  #failed(error: unknown): void {
    // Storage tells itself that it is full.
    if (error instanceof StorageError && error.isPassing) return;
    this.#deps.log.error({ err: error }, 'undelivered stanzas could not go back on the road');
  }
}
