import type Database from 'better-sqlite3';
import { StorageError } from '../storage-error.ts';

/** The first release without the WAL-reset corruption bug. */
const oldestSafeVersion = [3, 51, 3] as const;

type Setting = readonly [pragma: string, value: string | number, reads: string | number];

/** The order matters: better-sqlite3 lowers `synchronous` when WAL is turned on. */
const settings: readonly Setting[] = [
  ['journal_mode', 'WAL', 'wal'],
  ['synchronous', 'FULL', 2],
  ['journal_size_limit', 67_108_864, 67_108_864],
  ['busy_timeout', 5000, 5000],
  ['foreign_keys', 1, 1],
  ['trusted_schema', 0, 0],
  ['cell_size_check', 1, 1],
  ['locking_mode', 'NORMAL', 'normal'],
];

/** On Apple systems, fsync alone leaves data in the drive's cache. */
const fullFsync = ['fullfsync', 1, 1] as const;

/** The pages of the log at which it is moved into the database. */
const usualLogPages = 1000;
/** The part of the ballast that they take at most, and that one transaction takes. */
export const logShare = 1 / 4;
const pageBytes = 4096;

/**
 * Sets the pragmas that durability depends on, reads them back, and throws if one has another value. `ballastBytes` is the size of the
 * ballast, 0 for none: moving the log into the database must not take more space than the ballast can give.
 */
export function configureConnection(db: Database.Database, ballastBytes = 0): void {
  const wanted = [...settings, autoCheckpoint(ballastBytes)];
  if (process.platform === 'darwin') wanted.push(fullFsync);
  for (const [pragma, value] of wanted) db.pragma(`${pragma} = ${value}`);
  for (const [pragma, value, reads] of wanted) {
    const actual = db.pragma(pragma, { simple: true });
    if (actual !== reads) throw new StorageError('unsupported', `SQLite has ${pragma}=${actual} instead of ${value}`);
  }
  requireSafeVersion(db.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? '');
}

function autoCheckpoint(ballastBytes: number): Setting {
  const affordable = Math.max(1, Math.floor((ballastBytes * logShare) / pageBytes));
  const pages = ballastBytes === 0 ? usualLogPages : Math.min(usualLogPages, affordable);
  return ['wal_autocheckpoint', pages, pages];
}

/** Throws if this release of SQLite can corrupt a database. */
export function requireSafeVersion(version: string): void {
  const parts = version.split('.').map(Number);
  const index = oldestSafeVersion.findIndex((wanted, place) => (parts[place] ?? 0) !== wanted);
  if (index === -1 || (parts[index] ?? 0) > (oldestSafeVersion[index] ?? 0)) return;
  throw new StorageError('unsupported', `SQLite ${version} is too old; ${oldestSafeVersion.join('.')} is needed`);
}
