import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { Ballast } from './ballast.ts';
import { configureConnection } from './configure-connection.ts';
import { quickCheck } from './copy-database.ts';
import {
  clearRestore,
  createPrivateFile,
  dataPaths,
  fsyncPath,
  makePrivate,
  prepareDirectory,
} from './data-directory.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { explainFailure, toStorageError } from './failures.ts';
import type { DatabaseOptions, Migration } from './messages.ts';
import { migrate } from './migrate.ts';

/** A database that is locked, checked, configured and migrated. */
interface OpenDatabase {
  readonly db: Database.Database;
  readonly ballast: Ballast;
  readonly migration: Migration | undefined;
  /** Moves the log into the database, closes it and frees the directory. */
  close(): void;
}

/** Opens the database of a data directory, or throws a `StorageError` with the reason. */
export function openDatabase(options: DatabaseOptions): OpenDatabase {
  const { dataDir } = options;
  const lock = openLock(dataDir);
  let db: Database.Database | undefined;
  try {
    clearRestore(dataDir);
    const ballast = trimBallast(options);
    createPrivateFile(dataPaths(dataDir).database);
    db = new Database(dataPaths(dataDir).database);
    const migration = prepareDatabase(db, options);
    makePrivate(dataPaths(dataDir).wal, dataPaths(dataDir).shm);
    fsyncPath(dataDir);
    return { db, ballast, migration, close: closer(db, lock) };
  } catch (error) {
    db?.close();
    lock.release();
    throw explainFailure(toStorageError(error), dataDir);
  }
}

function openLock(dataDir: string): DirectoryLock {
  try {
    prepareDirectory(dataDir);
    return lockDirectory(dataDir);
  } catch (error) {
    throw toStorageError(error);
  }
}

/** Frees the ballast before the database is opened if the disk is full: SQLite could not even read then. */
function trimBallast({ dataDir, ballastBytes, releaseBallast }: DatabaseOptions): Ballast {
  const ballast = new Ballast(dataPaths(dataDir).ballast, ballastBytes ?? 0);
  const fits = ballastBytes === undefined || ballast.present;
  if (releaseBallast || !fits) ballast.release();
  return ballast;
}

/** Bytes of a database that is checked at the start. A check reads everything, about a gigabyte in three seconds. */
const largestChecked = 256 * 1024 * 1024;

function isQuicklyChecked(file: string): boolean {
  return statSync(file).size <= largestChecked;
}

function prepareDatabase(db: Database.Database, options: DatabaseOptions): Migration | undefined {
  configureConnection(db, options.ballastBytes);
  if (options.quickCheck && isQuicklyChecked(dataPaths(options.dataDir).database)) quickCheck(db);
  const migration = migrate(db, options.migrationsDir, options.dataDir);
  if (options.maxPageCount !== undefined) db.pragma(`max_page_count = ${options.maxPageCount}`);
  return migration;
}

function closer(db: Database.Database, lock: DirectoryLock): () => void {
  return () => {
    try {
      db.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // On a full disk the log stays beside the database, and the next start reads it.
    }
    db.close();
    lock.release();
  };
}
