import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import type { Clock } from '../../support/clock.ts';
import { systemClock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Storage } from '../storage.ts';
import { StorageError } from '../storage-error.ts';
import { backUp } from './back-up.ts';
import type { DatabaseOptions, Opened, Refused } from './messages.ts';
import { OperationQueue } from './operation-queue.ts';
import {
  accountStore,
  blocklistStore,
  offlineStore,
  outboxStore,
  outgoingStore,
  privateXmlStore,
  resumptionStore,
  rosterStore,
  secretStore,
  vcardStore,
} from './stores.ts';
import { firstMessage, startWorker, workerExit } from './worker-thread.ts';

/** How to open a store. */
export interface SqliteStorageOptions {
  readonly dataDir: string;
  /** Called once if the store has failed for good: nothing can be acknowledged any more. */
  readonly onFatal: (error: Error) => void;
  readonly log?: Pick<Log, 'info'>;
  readonly clock?: Pick<Clock, 'nowMs'>;
  /** False leaves out the check of the database's structure at the start, which reads all of it. */
  readonly quickCheck?: boolean;
  /** Another directory of migrations. */
  readonly migrationsDir?: string;
  /** The most pages, of 4096 bytes, that the database may have; beyond them writes fail with `full`. */
  readonly maxPageCount?: number;
}

/** A store in an SQLite database. */
export interface SqliteStorage extends Storage {
  /** How many transactions have been committed: with group commit, fewer than writes. */
  readonly commits: number;
}

/** The migrations of this version; sources and build are equally deep in the project. */
export const defaultMigrationsDir = fileURLToPath(new URL('../../../migrations/', import.meta.url));

/** Opens the store of a data directory, making or migrating it as needed; rejects with a `StorageError` that says why not. */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<SqliteStorage> {
  const { dataDir, migrationsDir = defaultMigrationsDir, quickCheck = true, maxPageCount } = options;
  const databaseOptions: DatabaseOptions = { dataDir, migrationsDir, quickCheck, maxPageCount };
  const worker = startWorker('worker', databaseOptions);
  const { schemaVersion, migration } = await opened(worker);
  if (migration !== undefined) options.log?.info(migration, 'The database has been migrated, after a backup');
  const queue = new OperationQueue(worker, options.onFatal);
  return assemble(queue, schemaVersion, options);
}

async function opened(worker: Worker): Promise<Opened> {
  const exit = workerExit(worker);
  const report = await firstMessage<Opened | Refused>(worker);
  if (report.kind === 'opened') return report;
  await exit;
  throw new StorageError(report.failure.code, report.failure.message);
}

function assemble(queue: OperationQueue, schemaVersion: number, options: SqliteStorageOptions): SqliteStorage {
  let backups: Promise<unknown> = Promise.resolve();
  const clock = options.clock ?? systemClock;
  const nowMs = () => clock.nowMs();
  return {
    accounts: accountStore(queue, nowMs),
    rosters: rosterStore(queue),
    offline: offlineStore(queue),
    outbox: outboxStore(queue),
    outgoing: outgoingStore(queue),
    privateXml: privateXmlStore(queue),
    vcards: vcardStore(queue),
    blocklists: blocklistStore(queue),
    secrets: secretStore(queue),
    resumption: resumptionStore(queue),
    schemaVersion,
    get commits() {
      return queue.commits;
    },
    backup: (file) => {
      if (queue.refusal !== undefined) return Promise.reject(queue.refusal);
      const backup = backups.then(() => backUp(options.dataDir, file));
      backups = backup.catch(() => undefined);
      return backup;
    },
    close: () => queue.close(backups),
  };
}
