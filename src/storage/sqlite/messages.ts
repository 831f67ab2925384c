import type { StorageErrorCode } from '../storage-error.ts';
import type { MaintenanceTask } from './maintenance.ts';

/** The data that starts a worker. */
export interface DatabaseOptions {
  readonly dataDir: string;
  readonly migrationsDir: string;
  readonly quickCheck: boolean;
  /** The largest number of pages of the database. */
  readonly maxPageCount?: number | undefined;
  /** The size of the ballast; 0 for none, absent to leave it as it is. */
  readonly ballastBytes?: number | undefined;
  /** Whether the disk has no free space except the ballast. */
  readonly releaseBallast: boolean;
}

/** One call of an operation, by its full name such as `offline.append`. */
export type OperationCall = readonly [operation: string, args: readonly unknown[]];

/** A request of the main thread to the worker: a batch of calls, maintenance, or to close. */
export type WorkerRequest = readonly OperationCall[] | MaintenanceTask | 'close';

/** An error as sent between threads. */
export interface Failure {
  readonly code: StorageErrorCode;
  readonly message: string;
}

/** The migration of an existing database to this version's schema. */
export interface Migration {
  readonly from: number;
  readonly to: number;
  readonly backup: string;
}

/** The database is open. */
export interface Opened {
  readonly kind: 'opened';
  readonly schemaVersion: number;
  /** The largest id in any table that counts its rows. */
  readonly lastId: number;
  readonly migration: Migration | undefined;
  readonly hasBallast: boolean;
}

/** The database could not be opened. */
export interface Refused {
  readonly kind: 'refused';
  readonly failure: Failure;
}

/** The outcome of one batch, in the order of its calls. */
export interface Answers {
  readonly kind: 'answers';
  readonly results: readonly unknown[];
  readonly failures: ReadonlyMap<number, Failure>;
  readonly committed: boolean;
  /** Whether the disk was full: writes that add data have failed, and the ballast has been deleted. */
  readonly full: boolean;
  /** Set if the database can no longer be used. */
  readonly fatal: Failure | undefined;
}

/** A message of the worker. */
export type WorkerReport = Opened | Refused | Answers;

/** The data that starts a backup worker. */
export interface BackupOptions {
  readonly database: string;
  readonly target: string;
}

/** The message of a backup worker: why it failed, or undefined. */
export type BackupReport = Failure | undefined;
