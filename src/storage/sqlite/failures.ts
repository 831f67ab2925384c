import { StorageError, type StorageErrorCode } from '../storage-error.ts';
import { dataPaths, newestBackup } from './data-directory.ts';

const byPrefix: readonly (readonly [prefix: string, code: StorageErrorCode])[] = [
  ['SQLITE_FULL', 'full'],
  // The index of the log, which every start rebuilds, could not grow.
  ['SQLITE_IOERR_SHMSIZE', 'full'],
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

/** The storage error for any error that SQLite or the file system throws. */
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

/**
 * Whether an error ends the store. After an I/O error the state on the disk is unknown: an fsync that failed once may succeed the next
 * time without the data.
 */
export function isFatal(error: StorageError): boolean {
  return error.code === 'io' || error.code === 'corrupt';
}

/** Returns an error that does not end the store, and throws any other. */
export function requirePassing(error: StorageError): StorageError {
  if (isFatal(error)) throw error;
  return error;
}

/** Names the database that cannot be used, and what the operator can do. */
export function explainFailure(error: StorageError, dataDir: string): StorageError {
  const { database } = dataPaths(dataDir);
  const explain = (trouble: string, way: string) =>
    new StorageError(error.code, `The database ${database} ${trouble} (${reasonOf(error)}); ${way}`, { cause: error });
  switch (error.code) {
    case 'corrupt':
      return explain('is damaged', newestBackupText(dataDir));
    case 'io':
      return explain('cannot be read or written', newestBackupText(dataDir));
    case 'full':
      return explain('cannot be used on a full disk', 'free some space and try again');
    default:
      return error;
  }
}

/** SQLite uses one message for very different errors, but distinct codes. */
function reasonOf({ message, cause }: StorageError): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code === '' || message.includes(code) ? message : `${code}: ${message}`;
}

function newestBackupText(dataDir: string): string {
  const backup = newestBackup(dataDir);
  return backup === undefined ? 'there is no backup beside it' : `the newest backup is ${backup}`;
}
