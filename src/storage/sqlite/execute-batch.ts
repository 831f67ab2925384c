import type Database from 'better-sqlite3';
import type { StorageError } from '../storage-error.ts';
import type { Ballast } from './ballast.ts';
import { explainFailure, toStorageError } from './failures.ts';
import type { Answers, Failure } from './messages.ts';
import { type OperationCall, type OperationName, type Operations, prepareOperations } from './operations.ts';
import { takesRoom } from './room.ts';

/**
 * Prepares a function that executes a batch of calls in order. All writes of a batch are one transaction, so that one fsync makes all
 * of them durable; each is a savepoint, so that one bad row fails alone.
 */
export function prepareBatches(
  db: Database.Database,
  ballast: Ballast,
  dataDir: string,
): (calls: readonly OperationCall[]) => Answers {
  const { reads, writes } = prepareOperations(db, ballast);
  const operations: Operations = { ...reads, ...writes };
  const isWrite = ([name]: OperationCall): boolean => name in writes;
  const run = <Name extends OperationName>([name, args]: OperationCall<Name>): unknown => operations[name](...args);
  const runWrite = prepareSavepoint(db, run);
  const [begin, commit] = [db.prepare('BEGIN IMMEDIATE'), db.prepare('COMMIT')];

  const runEach = (calls: readonly OperationCall[], failures: Map<number, Failure>): unknown[] =>
    calls.map((call, index) => {
      if (failures.has(index)) return undefined;
      try {
        return isWrite(call) ? runWrite(call) : run(call);
      } catch (error) {
        failures.set(index, singleFailure(error));
        return undefined;
      }
    });

  const transact = (calls: readonly OperationCall[], failures = new Map<number, Failure>()): Answers => {
    const committed = calls.some((call, index) => isWrite(call) && !failures.has(index));
    if (committed) begin.run();
    const results = runEach(calls, failures);
    if (committed) commit.run();
    return { kind: 'answers', results, failures, committed, full: false, fatal: undefined };
  };

  /** SQLite has undone the whole transaction, or will now: none of its writes may be acknowledged. Its reads are still owed. */
  const abandon = (calls: readonly OperationCall[], error: StorageError): Answers => {
    if (db.inTransaction) db.exec('ROLLBACK');
    return transact(calls, failing(calls, isWrite, error));
  };

  /** On a full disk the ballast makes room for the writes that need next to none; all others of the batch have failed. */
  const makeDo = (calls: readonly OperationCall[], error: StorageError): Answers => {
    if (db.inTransaction) db.exec('ROLLBACK');
    ballast.release();
    try {
      return transact(calls, failing(calls, takesRoom, error));
    } catch (again) {
      return abandon(calls, passing(again));
    } finally {
      emptyLog(db);
    }
  };

  const execute = (calls: readonly OperationCall[]): Answers => {
    try {
      return transact(calls);
    } catch (first) {
      const error = passing(first);
      return error.code === 'full' ? { ...makeDo(calls, error), full: true } : abandon(calls, error);
    }
  };

  return (calls) => {
    try {
      return execute(calls);
    } catch (error) {
      return giveUp(calls, explainFailure(toStorageError(error), dataDir));
    }
  };
}

/** An error that may pass; throws on what ends the store. */
function passing(error: unknown): StorageError {
  const failure = toStorageError(error);
  if (isFatal(failure)) throw failure;
  return failure;
}

function failing(
  calls: readonly OperationCall[],
  which: (call: OperationCall) => boolean,
  error: StorageError,
): Map<number, Failure> {
  const failure = toFailure(error);
  return new Map(calls.flatMap((call, index) => (which(call) ? [[index, failure]] : [])));
}

/** Gives back the room that the log takes, as far as there is room to do so. */
function emptyLog(db: Database.Database): void {
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    passing(error);
  }
}

function prepareSavepoint(db: Database.Database, run: (call: OperationCall) => unknown) {
  const [set, release] = [db.prepare('SAVEPOINT operation'), db.prepare('RELEASE operation')];
  const undo = db.prepare('ROLLBACK TO operation');
  return (call: OperationCall): unknown => {
    set.run();
    try {
      const result = run(call);
      release.run();
      return result;
    } catch (error) {
      if (concernsBatch(toStorageError(error))) throw error;
      undo.run();
      release.run();
      throw error;
    }
  };
}

/** The failure of one operation; throws on if the error concerns the whole batch. */
function singleFailure(error: unknown): Failure {
  const failure = toStorageError(error);
  if (concernsBatch(failure)) throw failure;
  return toFailure(failure);
}

function concernsBatch(error: StorageError): boolean {
  return error.code === 'full' || error.code === 'busy' || isFatal(error);
}

/** After an I/O error nobody knows what reached the disk: an fsync that failed once may succeed the second time without the data. */
function isFatal(error: StorageError): boolean {
  return error.code === 'io' || error.code === 'corrupt';
}

function giveUp(calls: readonly OperationCall[], error: StorageError): Answers {
  const fatal = toFailure(error);
  const failures = new Map(calls.map((_, index) => [index, fatal]));
  return { kind: 'answers', results: [], failures, committed: false, full: false, fatal };
}

function toFailure({ code, message }: StorageError): Failure {
  return { code, message };
}
