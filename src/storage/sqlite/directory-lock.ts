import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { StorageError } from '../storage-error.ts';
import { createPrivateFile, dataPaths } from './data-directory.ts';
import { toStorageError } from './failures.ts';

/** A data directory that only this process may use. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Takes a data directory for this process, or throws `locked`. SQLite's lock on a file of its own is one of the kernel's, so that it
 * ends with the process however that ends. The file beside it only tells people who holds it.
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
    // The lock holds without it, and only on a full disk there may be no room for a few bytes.
    if (toStorageError(error).code !== 'full') throw error;
  }
}

function lockedBy(dataDir: string): StorageError {
  const { pid } = dataPaths(dataDir);
  const holder = existsSync(pid) ? `process ${readFileSync(pid, 'utf8').trim()}` : 'another process';
  return new StorageError('locked', `The data directory ${dataDir} is in use by ${holder}; only one server may use it`);
}
