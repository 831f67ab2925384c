import type Database from 'better-sqlite3';
import type { StorageError } from '../storage-error.ts';
import { explainDamage, toStorageError } from './failures.ts';
import type { Answers, Failure } from './messages.ts';
import { type OperationCall, type OperationName, type Operations, prepareOperations } from './operations.ts';

/**
 * Prepares a function that executes a batch of calls in order. All writes of a batch are one transaction, so that one fsync makes all
 * of them durable; each is a savepoint, so that one bad row fails alone.
 */
export function prepareBatches(db: Database.Database, dataDir: string): (calls: readonly OperationCall[]) => Answers {
  const { reads, writes } = prepareOperations(db);
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

  const transact = (calls: readonly OperationCall[]): Answers => {
    const failures = new Map<number, Failure>();
    const committed = calls.some(isWrite);
    if (committed) begin.run();
    const results = runEach(calls, failures);
    if (committed) commit.run();
    return { kind: 'answers', results, failures, committed, fatal: undefined };
  };

  /** SQLite has undone the whole transaction, or will now: none of its writes may be acknowledged. Its reads are still owed. */
  const abandon = (calls: readonly OperationCall[], error: StorageError): Answers => {
    if (db.inTransaction) db.exec('ROLLBACK');
    const failure = toFailure(error);
    const failures = new Map(calls.flatMap((call, index) => (isWrite(call) ? [[index, failure]] : [])));
    return { kind: 'answers', results: runEach(calls, failures), failures, committed: false, fatal: undefined };
  };

  return (calls) => {
    try {
      return transact(calls);
    } catch (first) {
      const error = toStorageError(first);
      if (isFatal(error)) return giveUp(calls, explainDamage(error, dataDir));
      try {
        return abandon(calls, error);
      } catch (second) {
        return giveUp(calls, explainDamage(toStorageError(second), dataDir));
      }
    }
  };
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
  return { kind: 'answers', results: [], failures, committed: false, fatal };
}

function toFailure({ code, message }: StorageError): Failure {
  return { code, message };
}
