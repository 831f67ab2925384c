import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** The paths inside a data directory. */
export function dataPaths(dataDir: string) {
  const database = join(dataDir, 'ampere.db');
  return {
    database,
    wal: `${database}-wal`,
    shm: `${database}-shm`,
    restoring: join(dataDir, 'restoring.db'),
    lock: join(dataDir, 'ampere.lock'),
    pid: join(dataDir, 'ampere.pid'),
    ballast: join(dataDir, 'ampere.ballast'),
    backups: join(dataDir, 'backups'),
    uploads: join(dataDir, 'uploads'),
  };
}

/** Makes the data directory, accessible only to its owner. */
export function prepareDirectory(dataDir: string): void {
  const made = mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (made !== undefined) fsyncNames(resolve(made), resolve(dataDir));
  const names = readdirSync(dataDir);
  // The access to a directory with other content stays as it is; the files in it are private anyway.
  if (names.length === 0 || names.includes(basename(dataPaths(dataDir).database))) chmodSync(dataDir, 0o700);
}

/**
 * Makes an empty private file if it does not exist. An existing file is not opened: closing it would drop the locks that SQLite may
 * hold on it in this process.
 */
export function createPrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!existsSync(file)) throw error;
    chmodSync(file, 0o600);
  }
}

/** Makes those of the given files that exist private. */
export function makePrivate(...files: readonly string[]): void {
  for (const file of files) if (existsSync(file)) chmodSync(file, 0o600);
}

/** Makes a file's content, or a directory's entries, survive a power cut. */
export function fsyncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the names of new directories survive a power cut, from an outer directory to one inside it. */
function fsyncNames(outermost: string, innermost: string): void {
  for (let path = innermost; path.length >= outermost.length; path = dirname(path)) fsyncDirectoryOf(path);
}

/** Makes the name of a file survive a power cut. */
export function fsyncDirectoryOf(file: string): void {
  fsyncPath(dirname(file));
}

/** The newest backup in a data directory, if any. */
export function newestBackup(dataDir: string): string | undefined {
  const { backups } = dataPaths(dataDir);
  if (!existsSync(backups)) return undefined;
  const files = readdirSync(backups).filter((name) => name.endsWith('.db'));
  const dated = files.map((name) => join(backups, name)).map((file) => ({ file, atMs: statSync(file).mtimeMs }));
  return dated.sort((a, b) => b.atMs - a.atMs)[0]?.file;
}

/** The current time as part of a file name. */
export function utcStamp(): string {
  return new Date().toISOString().replaceAll(/[-:]/g, '').replace('.', '-');
}

/** The name of a copy of a database until it is complete. */
export function partialCopy(file: string): string {
  return `${file}.part`;
}

/**
 * Removes what a restore has left that did not finish: its copy of the backup, and the second name of a database that was not replaced. SQLite
 * would apply the old log beside that name to the database in use.
 */
export function clearRestore(dataDir: string): void {
  const { database, wal, restoring } = dataPaths(dataDir);
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${restoring}${suffix}`, { force: true });
  const inUse = statSync(database, { throwIfNoEntry: false });
  if (inUse === undefined || inUse.nlink === 1) return;
  for (const name of readdirSync(dataDir).filter((one) => /^replaced-.*\.db$/.test(one))) {
    const file = join(dataDir, name);
    if (statSync(file).ino !== inUse.ino) continue;
    const log = `${file}-wal`;
    // A damaged database loses its log just before it is replaced.
    if (existsSync(log) && !existsSync(wal)) renameSync(log, wal);
    rmSync(log, { force: true });
    rmSync(file);
  }
}
