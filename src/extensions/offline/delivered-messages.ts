import type { OfflineStore, OfflineUsages } from '../../storage/offline.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';

/** The time between attempts to remove messages. */
const retryMs = 5000;

/** Dependencies of {@link DeliveredMessages}. */
interface DeliveredMessagesDeps {
  readonly store: Pick<OfflineStore, 'remove'>;
  /** Called when messages were removed. */
  readonly removed: (account: string, usages: OfflineUsages) => void;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Log;
}

/** Removes stored messages that a client has. On a full disk that can take long; until then, they are not sent again. */
export class DeliveredMessages {
  readonly #deps: DeliveredMessagesDeps;
  readonly #ids = new Map<string, Set<number>>();

  constructor(deps: DeliveredMessagesDeps) {
    this.#deps = deps;
  }

  has(account: string, id: number): boolean {
    return this.#ids.get(account)?.has(id) ?? false;
  }

  /** Removes messages from the store, now or as soon as the disk has space for the removal. */
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
