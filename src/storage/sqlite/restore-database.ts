import { constants, existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { StorageError } from '../storage-error.ts';
import { quickCheck } from './copy-database.ts';
import { clearRestore, dataPaths, fsyncPath, makePrivate, prepareDirectory, utcStamp } from './data-directory.ts';
import { lockDirectory } from './directory-lock.ts';
import { toStorageError } from './failures.ts';
import { newestSchema, requireKnownSchema } from './migrate.ts';
import { defaultMigrationsDir } from './open-sqlite-storage.ts';

/**
 * Puts a backup in the place of a stopped server's database, and resolves with the name under which the replaced one is kept, if there
 * was one. Until the last step, which is atomic, the old database stays in place.
 */
export async function restoreDatabase(backupFile: string, dataDir: string): Promise<string | undefined> {
  try {
    return await restore(resolve(backupFile), dataDir);
  } catch (error) {
    throw toStorageError(error);
  }
}

async function restore(backupFile: string, dataDir: string): Promise<string | undefined> {
  if (!existsSync(backupFile)) throw new StorageError('not-found', `There is no backup ${backupFile}`);
  prepareDirectory(dataDir);
  const lock = lockDirectory(dataDir);
  const { restoring: staged } = dataPaths(dataDir);
  try {
    clearRestore(dataDir);
    await stage(backupFile, staged, dataDir);
    const kept = keepReplaced(dataDir);
    foldLog(dataDir, kept);
    takePlace(staged, dataDir);
    return kept;
  } finally {
    clearRestore(dataDir);
    lock.release();
  }
}

/** Copies the backup beside the database and makes sure that a server can open it. */
async function stage(backupFile: string, staged: string, dataDir: string): Promise<void> {
  await copyFile(backupFile, staged, constants.COPYFILE_EXCL);
  makePrivate(staged);
  const db = new Database(staged);
  try {
    db.pragma('journal_mode = DELETE');
    quickCheck(db);
    requireKnownBackup(db, backupFile, dataDir);
    forgetRosterVersions(db);
    forgetSessions(db);
  } catch (error) {
    const { code, message } = toStorageError(error);
    throw new StorageError(code, `The backup ${backupFile} cannot be restored: ${message}`, { cause: error });
  } finally {
    db.close();
  }
  fsyncPath(staged);
}

function requireKnownBackup(db: Database.Database, backupFile: string, dataDir: string): void {
  const version = requireKnownSchema(db, newestSchema(defaultMigrationsDir), dataDir);
  if (version === 0) throw new StorageError('schema', `${backupFile} is empty`);
}

/** Raises the roster versions: clients may know versions from after the backup, which must not be used for other content. */
function forgetRosterVersions(db: Database.Database): void {
  db.prepare('UPDATE accounts SET roster_version = max(roster_version + 1, ?)').run(Date.now());
  db.exec('UPDATE accounts SET roster_floor = roster_version');
}

/** Ends the sessions: their counts are older than what clients have been acknowledged since. Unacknowledged stanzas are redelivered. */
function forgetSessions(db: Database.Database): void {
  db.exec('UPDATE unacknowledged SET session = NULL; DELETE FROM resumable_sessions');
}

/** Gives the database and its log a second, dated name. */
function keepReplaced(dataDir: string): string | undefined {
  const { database, wal } = dataPaths(dataDir);
  if (!existsSync(database)) return undefined;
  const kept = join(dataDir, `replaced-${utcStamp()}.db`);
  linkSync(database, kept);
  if (existsSync(wal)) linkSync(wal, `${kept}-wal`);
  fsyncPath(dataDir);
  return kept;
}

/**
 * Moves the old log into the old database, so that no data is only in the log when the log is removed and the new database is not in
 * place yet. A damaged database stays as it is.
 */
function foldLog(dataDir: string, kept: string | undefined): void {
  const { database, wal } = dataPaths(dataDir);
  if (kept === undefined || !existsSync(wal)) return;
  try {
    const db = new Database(database);
    try {
      db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      db.close();
    }
  } catch {
    // It may be the reason for the restore.
    return;
  }
  const keptWal = `${kept}-wal`;
  if (statSync(keptWal).size === 0) rmSync(keptWal);
}

function takePlace(staged: string, dataDir: string): void {
  const { database, wal, shm } = dataPaths(dataDir);
  // First, and durably: SQLite would replay an old log into the new database.
  rmSync(wal, { force: true });
  rmSync(shm, { force: true });
  fsyncPath(dataDir);
  renameSync(staged, database);
  fsyncPath(dataDir);
}
