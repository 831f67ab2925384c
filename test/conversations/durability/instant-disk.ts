import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { OrderedIds } from '../../../src/storage/ordered-ids.ts';
import { Ballast } from '../../../src/storage/sqlite/ballast.ts';
import { BatchExecutor } from '../../../src/storage/sqlite/execute-batch.ts';
import { families } from '../../../src/storage/sqlite/families/index.ts';
import { type Family, openStores } from '../../../src/storage/sqlite/family.ts';
import type { Answers, Failure, OperationCall, WorkerRequest } from '../../../src/storage/sqlite/messages.ts';
import { migrate } from '../../../src/storage/sqlite/migrate.ts';
import { defaultMigrationsDir, type SqliteStorageOptions } from '../../../src/storage/sqlite/open-sqlite-storage.ts';
import { OperationQueue } from '../../../src/storage/sqlite/operation-queue.ts';
import { OperationTable } from '../../../src/storage/sqlite/operation-table.ts';
import type { Storage } from '../../../src/storage/storage.ts';

/** How the disk executes requests: at once, later, or at once with the answers later. */
export type DiskMode = 'running' | 'stalled' | 'silent';

/**
 * The database of a server in memory, executed by the server's own code in this thread. A test can copy the state that a crash would
 * leave at any moment, and make the disk wait or fail.
 */
export class InstantDisk {
  readonly #db: Database.Database;
  readonly #thread: DiskThread;
  /** Whether new work is refused. */
  nearlyFull = false;

  constructor(image?: Buffer) {
    this.#db = image ? new Database(image) : new Database(':memory:');
    this.#db.pragma('foreign_keys = 1');
    if (!image) migrate(this.#db, defaultMigrationsDir, '.');
    this.#thread = new DiskThread(this.#db);
  }

  /** The state that a crash would leave now. */
  image(): Buffer {
    return this.#db.serialize();
  }

  /** Sets how the disk executes requests. */
  become(mode: DiskMode): void {
    this.#thread.become(mode);
  }

  /** Makes the next commit fail and roll back. */
  failOnce(failure: Failure): void {
    this.#thread.nextFailure = failure;
  }

  /** Whether no request is in progress. */
  get idle(): boolean {
    return this.#thread.idle;
  }

  get #lastId(): number {
    return this.#db.prepare<[], number | null>('SELECT max(seq) FROM sqlite_sequence').pluck().get() ?? 0;
  }

  readonly open = async ({ onFatal, clock }: SqliteStorageOptions): Promise<Storage> => {
    const isRefusing = () => this.nearlyFull;
    // The queue uses only these members of a worker.
    const worker = this.#thread as unknown as Worker;
    const queue = new OperationQueue(worker, {
      maxBatchBytes: Number.POSITIVE_INFINITY,
      onBatch: () => undefined,
      isRefusing,
      onFull: () => undefined,
      onFatal,
    });
    const nowMs = () => clock?.nowMs() ?? 0;
    const ids = new OrderedIds({ nowMs }, this.#lastId);
    return {
      ...openStores(families, queue, { nowMs, nextId: () => ids.next() }),
      schemaVersion: 0,
      get disk() {
        return { freeBytes: 1e9, totalBytes: 1e9, refusing: isRefusing() };
      },
      load: queue,
      backup: () => Promise.reject(new Error('this storage has no backups')),
      close: () => queue.close(Promise.resolve()),
    };
  };
}

/** The storage thread's part, executed in this thread. */
export class DiskThread extends EventEmitter {
  nextFailure: Failure | undefined;
  readonly #operations: OperationTable;
  readonly #executor: BatchExecutor;
  #mode: DiskMode = 'running';
  #request: WorkerRequest | undefined;
  #answers: Answers | undefined;

  constructor(db: Database.Database, tables: readonly Family[] = families) {
    super();
    const ballast = new Ballast('/nonexistent', 0);
    this.#operations = new OperationTable(db, tables);
    this.#executor = new BatchExecutor({ db, operations: this.#operations, ballast, dataDir: '.' });
  }

  get idle(): boolean {
    return !this.#request && !this.#answers;
  }

  become(mode: DiskMode): void {
    this.#mode = mode;
    this.#goOn();
  }

  postMessage(request: WorkerRequest): void {
    this.#request = request;
    this.#goOn();
  }

  terminate(): void {
    setImmediate(() => this.emit('exit'));
  }

  #goOn(): void {
    setImmediate(() => this.#work());
  }

  #work(): void {
    if (this.#request === 'close') this.emit('exit');
    if (this.#answers && this.#mode === 'running') return this.#answer(this.#answers);
    if (!this.#request || typeof this.#request === 'string' || this.#mode === 'stalled') return;
    this.#answers = this.#take(this.#request);
    this.#request = undefined;
    this.#goOn();
  }

  #answer(answers: Answers): void {
    this.#answers = undefined;
    this.emit('message', answers);
  }

  #take(calls: readonly OperationCall[]): Answers {
    const failure = this.nextFailure;
    if (!failure || !calls.some((call) => this.#isWrite(call))) return this.#executor.execute(calls);
    this.nextFailure = undefined;
    const reads = calls.filter((call) => !this.#isWrite(call));
    const { results } = this.#executor.execute(reads);
    const failures = new Map(calls.flatMap((call, index) => (this.#isWrite(call) ? [[index, failure]] : [])));
    const placed = calls.map((call) => (this.#isWrite(call) ? undefined : results[reads.indexOf(call)]));
    return { kind: 'answers', results: placed, failures, committed: false, full: false, fatal: undefined };
  }

  #isWrite(call: OperationCall): boolean {
    return this.#operations.isWrite(call);
  }
}
