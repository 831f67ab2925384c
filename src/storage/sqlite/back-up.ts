import { resolve } from 'node:path';
import { StorageError } from '../storage-error.ts';
import { dataPaths } from './data-directory.ts';
import type { BackupOptions, BackupReport } from './messages.ts';
import { firstMessage, startWorker, workerExit } from './worker-thread.ts';

/** Copies the database of a running store to a new file, in its own thread. */
export async function backUp(dataDir: string, file: string): Promise<void> {
  const options: BackupOptions = { database: dataPaths(dataDir).database, target: resolve(file) };
  const worker = startWorker('backup-worker', options);
  const exit = workerExit(worker);
  const failure = await firstMessage<BackupReport>(worker);
  await exit;
  if (failure !== undefined) throw new StorageError(failure.code, `The backup failed: ${failure.message}`);
}
