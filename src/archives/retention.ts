import type { ArchiveStore } from '../storage/archive.ts';
import { firstIdAt } from '../storage/ordered-ids.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { Tidying } from '../support/tidying.ts';

const dayMs = 86_400_000;

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
  /** Read at each use. */
  readonly options: RetentionOptions;
  readonly clock: Clock;
  readonly log: Log;
}

/** Removes old messages from archives, once it is started. */
export function archiveRetention({ store, options, clock, log }: RetentionDeps): Tidying {
  return new Tidying({
    plan: (trustsClock) => {
      const { keepDays, maxPerArchive } = options;
      const limits = {
        removeBeforeId: keepDays !== null && trustsClock ? firstIdAt(clock.nowMs() - keepDays * dayMs) : 0,
        maxMessages: maxPerArchive ?? Number.MAX_SAFE_INTEGER,
        indexBeforeId: store.newId(),
      };
      return () => store.tidy(limits);
    },
    failed: (error) => {
      // What may pass is tried again in an hour.
      const isPassing = error instanceof StorageError && error.isPassing;
      if (!isPassing) log.error({ err: error }, 'old messages were not removed from the archives');
    },
    clock,
  });
}
