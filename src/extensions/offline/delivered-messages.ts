import type { OfflineStore, OfflineUsage } from '../../storage/offline.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';

/** When it is tried again to remove what could not be removed. */
const retryMs = 5000;

/** Dependencies of forgetting messages. */
interface DeliveredMessagesDeps {
  readonly store: Pick<OfflineStore, 'remove'>;
  /** Some messages have been removed. */
  readonly removed: (account: string, usage: OfflineUsage) => void;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Log;
}

/** Stored messages that a client has and the store still has, too: on a full disk that can last, and nobody is given them twice. */
export class DeliveredMessages {
  readonly #deps: DeliveredMessagesDeps;
  readonly #ids = new Map<string, Set<number>>();

  constructor(deps: DeliveredMessagesDeps) {
    this.#deps = deps;
  }

  has(account: string, id: number): boolean {
    return this.#ids.get(account)?.has(id) ?? false;
  }

  /** Removes messages from the store, now or as soon as there is room to do so. */
  async remove(account: string, ids: readonly number[]): Promise<void> {
    const { store, removed, clock, log } = this.#deps;
    this.#remember(account, ids);
    try {
      removed(account, await store.remove(account, ids));
    } catch (error) {
      if (error instanceof StorageError && error.isPassing) {
        clock.after(retryMs, () => void this.remove(account, ids));
        return;
      }
      log.error({ err: error, account }, 'could not remove delivered messages; they will be delivered again');
    }
    this.#forget(account, ids);
  }

  #remember(account: string, ids: readonly number[]): void {
    const known = this.#ids.get(account) ?? new Set();
    for (const id of ids) known.add(id);
    this.#ids.set(account, known);
  }

  #forget(account: string, ids: readonly number[]): void {
    const known = this.#ids.get(account);
    for (const id of ids) known?.delete(id);
    if (known?.size === 0) this.#ids.delete(account);
  }
}
