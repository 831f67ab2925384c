import type { StorageErrorCode } from '../storage-error.ts';
import type { MaintenanceTask } from './maintenance.ts';

/** What the worker is started with. */
export interface DatabaseOptions {
  readonly dataDir: string;
  readonly migrationsDir: string;
  readonly quickCheck: boolean;
  /** How many pages the database may have. */
  readonly maxPageCount?: number | undefined;
  /** The size of the ballast; 0 for none, absent to leave it as it is. */
  readonly ballastBytes?: number | undefined;
  /** Whether nothing is left of the disk but the ballast. */
  readonly releaseBallast: boolean;
}

/** One call of an operation, by its full name such as `offline.append`. */
export type OperationCall = readonly [operation: string, args: readonly unknown[]];

/** What the main thread asks of the worker: a batch of calls, maintenance, or to close. */
export type WorkerRequest = readonly OperationCall[] | MaintenanceTask | 'close';

/** Why something failed, as it travels between the threads. */
export interface Failure {
  readonly code: StorageErrorCode;
  readonly message: string;
}

/** How an existing database was brought to this version's schema. */
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
  /** Whether the disk was full: what adds to the database has failed, and the ballast is gone. */
  readonly full: boolean;
  /** Set if the database must not be used any more. */
  readonly fatal: Failure | undefined;
}

/** What the worker says. */
export type WorkerReport = Opened | Refused | Answers;

/** What a backup worker is started with. */
export interface BackupOptions {
  readonly database: string;
  readonly target: string;
}

/** What a backup worker says: why it failed, or nothing. */
export type BackupReport = Failure | undefined;
