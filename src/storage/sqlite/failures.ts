import { StorageError, type StorageErrorCode } from '../storage-error.ts';
import { dataPaths, newestBackup } from './data-directory.ts';

const byPrefix: readonly (readonly [prefix: string, code: StorageErrorCode])[] = [
  ['SQLITE_FULL', 'full'],
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['SQLITE_BUSY', 'busy'],
  ['SQLITE_LOCKED', 'busy'],
  ['SQLITE_CORRUPT', 'corrupt'],
  ['SQLITE_NOTADB', 'corrupt'],
  ['SQLITE_CONSTRAINT', 'invalid'],
  ['SQLITE_MISMATCH', 'invalid'],
  ['SQLITE_RANGE', 'invalid'],
  ['SQLITE_TOOBIG', 'invalid'],
  ['SQLITE_', 'io'],
  ['E', 'io'],
];

/** Gives any error that SQLite or the file system throws its place among the storage errors. */
export function toStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (!(error instanceof Error)) return new StorageError('invalid', String(error));
  return new StorageError(codeOf(error), error.message, { cause: error });
}

function codeOf(error: Error): StorageErrorCode {
  const reason = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // Node's own argument errors are the caller's fault, not the disk's.
  if (reason.startsWith('ERR_')) return 'invalid';
  return byPrefix.find(([prefix]) => reason.startsWith(prefix))?.[1] ?? 'invalid';
}

/** Tells the operator of a damaged database where to go on. */
export function explainDamage(error: StorageError, dataDir: string): StorageError {
  if (error.code !== 'corrupt') return error;
  const { database } = dataPaths(dataDir);
  const backup = newestBackup(dataDir);
  const way = backup === undefined ? 'there is no backup beside it' : `the newest backup is ${backup}`;
  return new StorageError('corrupt', `The database ${database} is damaged (${error.message}); ${way}`, {
    cause: error,
  });
}
