import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import type { Clock } from '../../support/clock.ts';
import { systemClock } from '../../support/clock.ts';
import { type DiskSpace, diskSpaceAt } from '../../support/disk-space.ts';
import { type Log, silentLog } from '../../support/log.ts';
import { OrderedIds } from '../ordered-ids.ts';
import type { Storage } from '../storage.ts';
import { StorageError } from '../storage-error.ts';
import { backUp } from './back-up.ts';
import { logShare } from './configure-connection.ts';
import { dataPaths } from './data-directory.ts';
import { DiskWatch } from './disk-watch.ts';
import { families } from './families/index.ts';
import { openStores } from './family.ts';
import type { DatabaseOptions, Opened, Refused } from './messages.ts';
import { OperationQueue } from './operation-queue.ts';
import { firstMessage, startWorker, workerExit } from './worker-thread.ts';

/** Options for opening a store. */
export interface SqliteStorageOptions {
  readonly dataDir: string;
  /** Called once if the store has failed for good, so that nothing more can be acknowledged. */
  readonly onFatal: (error: Error) => void;
  readonly log?: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly clock?: Pick<Clock, 'nowMs' | 'after'>;
  /** False skips the check of the database's structure at the start, which reads the whole database. */
  readonly quickCheck?: boolean;
  /** Another directory of migrations. */
  readonly migrationsDir?: string;
  /** The most pages, of 4096 bytes, that the database may have; beyond them writes fail with `full`. */
  readonly maxPageCount?: number;
  /** Bytes kept in reserve beside the database for when the disk is full; 0 for none, absent to leave an existing ballast alone. */
  readonly ballastBytes?: number;
  /** Another source for the free space of a disk. */
  readonly diskSpace?: (directory: string) => DiskSpace;
}

/** The migrations of this version; sources and build are equally deep in the project. */
export const defaultMigrationsDir = fileURLToPath(new URL('../../../migrations/', import.meta.url));

/** Opens the store of a data directory, makes or migrates it as needed. Rejects with a `StorageError` with the reason. */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<Storage> {
  const { dataDir, migrationsDir = defaultMigrationsDir, quickCheck = true, maxPageCount, ballastBytes } = options;
  const releaseBallast = isOnlyBallastLeft(options);
  const files = { dataDir, migrationsDir, ballastBytes, releaseBallast };
  const databaseOptions: DatabaseOptions = { ...files, quickCheck, maxPageCount };
  const worker = startWorker('worker', databaseOptions);
  const { schemaVersion, lastId, migration, hasBallast } = await opened(worker);
  if (migration !== undefined) options.log?.info(migration, 'The database has been migrated, after a backup');
  const queue = new OperationQueue(worker, {
    maxBatchBytes: ballastBytes ? ballastBytes * logShare : Number.POSITIVE_INFINITY,
    isRefusing: () => watch.refusing,
    onBatch: (bytes) => watch.writing(bytes),
    onFull: () => watch.full(),
    onFatal: options.onFatal,
  });
  const watch = diskWatch(queue, hasBallast, options);
  watch.start();
  return assemble(queue, watch, { schemaVersion, lastId }, options);
}

/** An eighth of the ballast is about as much as the log and its index need. */
function isOnlyBallastLeft({ dataDir, diskSpace = diskSpaceAt }: SqliteStorageOptions): boolean {
  const ballast = statSync(dataPaths(dataDir).ballast, { throwIfNoEntry: false });
  return ballast !== undefined && diskSpace(dataDir).freeBytes < ballast.size / 8;
}

function diskWatch(queue: OperationQueue, hasBallast: boolean, options: SqliteStorageOptions): DiskWatch {
  const { dataDir, ballastBytes = 0, diskSpace = diskSpaceAt, clock = systemClock, log = silentLog } = options;
  return new DiskWatch({
    space: () => diskSpace(dataDir),
    ballastBytes,
    hasBallast,
    makeBallast: () => queue.maintain('makeBallast'),
    reclaimSpace: () => queue.maintain('reclaimSpace'),
    clock,
    log,
  });
}

async function opened(worker: Worker): Promise<Opened> {
  const exit = workerExit(worker);
  const report = await firstMessage<Opened | Refused>(worker);
  if (report.kind === 'opened') return report;
  await exit;
  throw new StorageError(report.failure.code, report.failure.message);
}

function assemble(
  queue: OperationQueue,
  watch: DiskWatch,
  { schemaVersion, lastId }: Pick<Opened, 'schemaVersion' | 'lastId'>,
  options: SqliteStorageOptions,
): Storage {
  let backups: Promise<unknown> = Promise.resolve();
  const clock = options.clock ?? systemClock;
  const ids = new OrderedIds(clock, lastId);
  return {
    ...openStores(families, queue, { nowMs: () => clock.nowMs(), nextId: () => ids.next() }),
    schemaVersion,
    get disk() {
      return watch.state;
    },
    load: queue,
    backup: (file) => {
      if (queue.refusal !== undefined) return Promise.reject(queue.refusal);
      const backup = backups.then(() => backUp(options.dataDir, file));
      backups = backup.catch(() => undefined);
      return backup;
    },
    close: () => {
      watch.stop();
      return queue.close(backups);
    },
  };
}
