import { accessSync, closeSync, constants, existsSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { dataPaths } from '../storage/sqlite/data-directory.ts';
import { lockDirectory } from '../storage/sqlite/directory-lock.ts';
import { newestSchema } from '../storage/sqlite/migrate.ts';
import { defaultMigrationsDir } from '../storage/sqlite/open-sqlite-storage.ts';
import { StorageError } from '../storage/storage-error.ts';
import { type DiskSpace, diskSpaceAt } from '../support/disk-space.ts';
import { type Finding, findingsAbout } from './finding.ts';

const finding = findingsAbout('data');

/**
 * Checks the data directory: whether this user can use it, whether others can read it, whether another process uses it, and what an
 * upgrade will do to the database.
 */
export function checkData(
  dataDir: string,
  serverRuns: boolean,
  diskSpace: (directory: string) => DiskSpace = diskSpaceAt,
): Finding[] {
  if (!existsSync(dataDir)) return [missing(dataDir)];
  const stats = statSync(dataDir);
  if (!stats.isDirectory()) return [finding('error', `${dataDir} is not a directory.`)];
  if (!writable(dataDir)) return [finding('error', `This user cannot write to ${dataDir}.`)];
  const foreign = ownership(dataDir, stats);
  if (foreign.length > 0) return [...openness(dataDir, stats), ...foreign];
  const free = serverRuns ? [] : lock(dataDir);
  return [...openness(dataDir, stats), ...free, ...schema(dataDir, diskSpace)];
}

function missing(dataDir: string): Finding {
  let parent = dirname(dataDir);
  while (!existsSync(parent)) parent = dirname(parent);
  return writable(parent)
    ? finding('ok', `${dataDir} does not exist yet: the server creates it.`)
    : finding('error', `${dataDir} does not exist, and this user cannot create it in ${parent}.`);
}

function writable(directory: string): boolean {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function ownership(dataDir: string, { uid }: Stats): Finding[] {
  const user = process.getuid?.();
  if (user === undefined || user === uid) return [];
  return [
    finding('warning', `${dataDir} belongs to user ${uid}, not to this user (${user}): run the check as that user.`),
  ];
}

function openness(dataDir: string, { mode }: Stats): Finding[] {
  const open = (mode & 0o077) !== 0;
  if (!open) return [finding('ok', `${dataDir} is private.`)];
  return [finding('warning', `${dataDir} is open to other users: run chmod 700 ${dataDir}.`)];
}

/** Tries the lock of an existing database. Without a database it would leave a lock file behind. */
function lock(dataDir: string): Finding[] {
  if (!existsSync(dataPaths(dataDir).database)) return [];
  try {
    lockDirectory(dataDir).release();
    return [];
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return [finding('error', `${error.message}, and it does not answer on its control socket.`)];
  }
}

/** Whether the next start changes the database, and whether the disk has room for the copy that is made before. */
function schema(dataDir: string, diskSpace: (directory: string) => DiskSpace): Finding[] {
  const { database } = dataPaths(dataDir);
  const { size } = statSync(database, { throwIfNoEntry: false }) ?? { size: 0 };
  const newest = newestSchema(defaultMigrationsDir);
  const version = size === 0 ? 0 : versionIn(database);
  if (version === 0 || version === newest) return [];
  if (version > newest)
    return [
      finding(
        'error',
        `The database has schema ${version}, but this version of Ampere knows only ${newest}: install the newer version again, or restore a backup.`,
      ),
    ];
  const change = `The next start changes the database from schema ${version} to ${newest}, and keeps a copy of it (${mebibytes(size)})`;
  const { freeBytes } = diskSpace(dataDir);
  if (freeBytes > size) return [finding('ok', `${change}.`)];
  return [finding('error', `${change}, but only ${mebibytes(freeBytes)} are free.`)];
}

/** The number of the schema in the header of the file (https://sqlite.org/fileformat.html §1.3, user version). */
function versionIn(database: string): number {
  const file = openSync(database, 'r');
  try {
    const bytes = Buffer.alloc(4);
    readSync(file, bytes, 0, bytes.length, 60);
    return bytes.readUInt32BE();
  } finally {
    closeSync(file);
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
