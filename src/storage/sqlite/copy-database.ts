import { existsSync, renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { StorageError } from '../storage-error.ts';
import { createPrivateFile, fsyncDirectoryOf, fsyncPath, partialCopy } from './data-directory.ts';
import { toStorageError } from './failures.ts';

/** Copies a consistent state of an open database to a new file, which gets its name when it is complete, checked and durable. */
export function copyDatabase(db: Database.Database, target: string): void {
  if (existsSync(target)) throw new StorageError('conflict', `${target} already exists`);
  const part = partialCopy(target);
  rmSync(part, { force: true });
  try {
    createPrivateFile(part);
    db.prepare('VACUUM INTO ?').run(part);
    requireSound(part);
    fsyncPath(part);
    renameSync(part, target);
    fsyncDirectoryOf(target);
  } catch (error) {
    rmSync(part, { force: true });
    throw toStorageError(error);
  }
}

function requireSound(file: string): void {
  const db = new Database(file, { readonly: true });
  try {
    quickCheck(db);
  } finally {
    db.close();
  }
}

/** The check reads the pages once, in order: a large cache would only fill the memory of the storage thread. */
const checkCacheKib = 256;

/** Throws `corrupt` unless SQLite finds the structure of the database intact. */
export function quickCheck(db: Database.Database): void {
  const usual = db.pragma('cache_size', { simple: true });
  db.pragma(`cache_size = -${checkCacheKib}`);
  const finding = db.pragma('quick_check(1)', { simple: true });
  db.pragma(`cache_size = ${usual}`);
  if (finding !== 'ok') throw new StorageError('corrupt', String(finding));
}
