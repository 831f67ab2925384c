import type Database from 'better-sqlite3';
import type { StorageError } from '../storage-error.ts';
import type { Ballast } from './ballast.ts';
import { explainFailure, isFatal, requirePassing, toStorageError } from './failures.ts';
import { emptyLog, type MaintenanceTask, prepareMaintenance } from './maintenance.ts';
import type { Answers, Failure, OperationCall } from './messages.ts';
import type { OperationTable } from './operation-table.ts';

/** Dependencies of executing batches. */
interface BatchExecutorDeps {
  readonly db: Database.Database;
  readonly operations: OperationTable;
  readonly ballast: Ballast;
  /** Named in the message of an error that ends the store. */
  readonly dataDir: string;
}

/**
 * Executes batches of calls in order. A batch is one transaction: one fsync makes all of its writes durable, and its reads lock the
 * database once, which would otherwise take longer than most of them. Each write is a savepoint, so that one faulty row fails alone.
 */
export class BatchExecutor {
  readonly #deps: BatchExecutorDeps;
  readonly #maintenance;
  readonly #runWrite: (call: OperationCall) => unknown;
  readonly #beginReads: Database.Statement;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;

  constructor(deps: BatchExecutorDeps) {
    const { db, operations, ballast } = deps;
    this.#deps = deps;
    this.#maintenance = prepareMaintenance(db, ballast);
    this.#runWrite = prepareSavepoint(db, (call) => operations.execute(call));
    [this.#beginReads, this.#begin] = [db.prepare('BEGIN'), db.prepare('BEGIN IMMEDIATE')];
    this.#commit = db.prepare('COMMIT');
  }

  /** Executes a batch and answers each of its calls. Never throws: an error that ends the store is an answer, too. */
  execute(calls: readonly OperationCall[]): Answers {
    try {
      return this.#attempt(calls);
    } catch (error) {
      return giveUp(calls.length, explainFailure(toStorageError(error), this.#deps.dataDir));
    }
  }

  /** Runs maintenance outside of any transaction. Answers as for a batch of one call. */
  maintain(task: MaintenanceTask): Answers {
    try {
      return { ...blankAnswers, results: [this.#maintenance[task]()] };
    } catch (error) {
      const failure = explainFailure(toStorageError(error), this.#deps.dataDir);
      return isFatal(failure) ? giveUp(1, failure) : { ...blankAnswers, failures: new Map([[0, toFailure(failure)]]) };
    }
  }

  #attempt(calls: readonly OperationCall[]): Answers {
    try {
      return this.#transact(calls);
    } catch (first) {
      const error = requirePassing(toStorageError(first));
      return error.code === 'full' ? { ...this.#makeDo(calls, error), full: true } : this.#abandon(calls, error);
    }
  }

  /** Executes the calls that have not failed yet; throws an error that concerns the whole batch. */
  #transact(calls: readonly OperationCall[], failures = new Map<number, Failure>()): Answers {
    const committed = calls.some((call, index) => this.#deps.operations.isWrite(call) && !failures.has(index));
    (committed ? this.#begin : this.#beginReads).run();
    const results = this.#runEach(calls, failures);
    this.#commit.run();
    return { ...blankAnswers, results, failures, committed };
  }

  #runEach(calls: readonly OperationCall[], failures: Map<number, Failure>): unknown[] {
    const { operations } = this.#deps;
    return calls.map((call, index) => {
      if (failures.has(index)) return undefined;
      try {
        return operations.isWrite(call) ? this.#runWrite(call) : operations.execute(call);
      } catch (error) {
        failures.set(index, singleFailure(error));
        return undefined;
      }
    });
  }

  /** SQLite has undone the whole transaction, or will now: none of its writes may be acknowledged. The reads are executed again. */
  #abandon(calls: readonly OperationCall[], error: StorageError): Answers {
    const { db, operations } = this.#deps;
    if (db.inTransaction) db.exec('ROLLBACK');
    const isWrite = (call: OperationCall) => operations.isWrite(call);
    return this.#transact(calls, failing(calls, isWrite, error));
  }

  /** The disk is full: the ballast makes space for the writes that add no data; all others of the batch fail. */
  #makeDo(calls: readonly OperationCall[], error: StorageError): Answers {
    const { db, ballast, operations } = this.#deps;
    if (db.inTransaction) db.exec('ROLLBACK');
    ballast.release();
    const addsData = (call: OperationCall) => operations.addsData(call);
    try {
      return this.#transact(calls, failing(calls, addsData, error));
    } catch (again) {
      return this.#abandon(calls, requirePassing(toStorageError(again)));
    } finally {
      emptyLog(db);
    }
  }
}

const blankAnswers: Answers = {
  kind: 'answers',
  results: [],
  failures: new Map(),
  committed: false,
  full: false,
  fatal: undefined,
};

function failing(
  calls: readonly OperationCall[],
  which: (call: OperationCall) => boolean,
  error: StorageError,
): Map<number, Failure> {
  const failure = toFailure(error);
  return new Map(calls.flatMap((call, index) => (which(call) ? [[index, failure]] : [])));
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

function giveUp(count: number, error: StorageError): Answers {
  const fatal = toFailure(error);
  return { ...blankAnswers, failures: new Map(Array.from({ length: count }, (_, index) => [index, fatal])), fatal };
}

function toFailure({ code, message }: StorageError): Failure {
  return { code, message };
}
