import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { StorageError } from '../storage-error.ts';
import { createPrivateFile, dataPaths } from './data-directory.ts';
import { toStorageError } from './failures.ts';

/** The lock of a data directory, which lets only this process use it. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Locks a data directory for this process, or throws `locked`. The lock is a kernel lock of SQLite on a separate file, so it ends with the
 * process, however that ends. The file beside it only shows the holder to people.
 */
export function lockDirectory(dataDir: string): DirectoryLock {
  const paths = dataPaths(dataDir);
  createPrivateFile(paths.lock);
  const db = new Database(paths.lock, { timeout: 0 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    throw toStorageError(error).code === 'busy' ? lockedBy(dataDir) : error;
  }
  noteHolder(paths.pid);
  return {
    release: () => {
      rmSync(paths.pid, { force: true });
      db.close();
    },
  };
}

function noteHolder(file: string): void {
  try {
    createPrivateFile(file);
    writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    // The lock does not depend on this file, and only a full disk has no space for a few bytes.
    if (toStorageError(error).code !== 'full') throw error;
  }
}

function lockedBy(dataDir: string): StorageError {
  const { pid } = dataPaths(dataDir);
  const holder = existsSync(pid) ? `process ${readFileSync(pid, 'utf8').trim()}` : 'another process';
  return new StorageError('locked', `The data directory ${dataDir} is in use by ${holder}; only one server may use it`);
}
