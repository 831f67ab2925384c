import { StorageError } from '../../storage/storage-error.ts';
import { type Clock, within } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { type RouteStanza, redeliver, type Undelivered } from './redelivery.ts';

/** How long the end of redeliveries is awaited: on a full disk some settle only when there is room. The next start finds their copies. */
const patienceMs = 10_000;

/** Dependencies of redelivery. */
interface PendingRedeliveriesDeps {
  readonly route: RouteStanza;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Log;
}

/** Redeliveries that are under way: the stanzas are not durable in their new places yet. */
export class PendingRedeliveries {
  readonly #deps: PendingRedeliveriesDeps;
  readonly #open = new Set<Promise<void>>();

  constructor(deps: PendingRedeliveriesDeps) {
    this.#deps = deps;
  }

  /** Redelivers stanzas; resolves when all are routed. */
  take(undelivered: readonly Undelivered[], domain: string): Promise<void> {
    return this.#track(redeliver(undelivered, domain, this.#deps.route, (work) => void this.#track(work)));
  }

  /** Resolves when every redelivery has settled, or after ten seconds. */
  async settled(): Promise<void> {
    await within(this.#deps.clock, patienceMs, this.#allSettled());
  }

  /** A redelivery can cause another one. */
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
    // A full disk is logged by storage.
    if (error instanceof StorageError && error.isPassing) return;
    this.#deps.log.error({ err: error }, 'cannot redeliver stanzas');
  }
}
