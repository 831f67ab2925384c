import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { copyDatabase } from './copy-database.ts';
import { toStorageError } from './failures.ts';
import type { BackupOptions, BackupReport } from './messages.ts';

// A thread with its own connection: the copy reads one state of the database while the storage thread continues to write.
const { database, target }: BackupOptions = workerData;

function backUp(): BackupReport {
  try {
    const db = new Database(database, { readonly: true });
    try {
      copyDatabase(db, target);
    } finally {
      db.close();
    }
    return undefined;
  } catch (error) {
    const { code, message } = toStorageError(error);
    return { code, message };
  }
}

parentPort?.postMessage(backUp());
