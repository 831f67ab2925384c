import type { Worker } from 'node:worker_threads';
import type { StorageLoad } from '../storage.ts';
import { StorageError } from '../storage-error.ts';
import type { Maintenance, MaintenanceTask } from './maintenance.ts';
import type { Answers, OperationCall, WorkerRequest } from './messages.ts';
import { workerExit } from './worker-thread.ts';

/** The most rows of a batch. Bounds the transaction, and with it the time until its first call is answered. */
const maxBatchRows = 1024;
/** What a row adds to a transaction at least, besides its content. */
const rowBytes = 1024;

/** Dependencies of the queue. */
interface OperationQueueDeps {
  /** The most bytes of a batch, unless it has one call only. */
  readonly maxBatchBytes: number;
  /** Whether writes that add data are refused for lack of space. */
  readonly isRefusing: () => boolean;
  /** A batch of about this size is sent. */
  readonly onBatch: (bytes: number) => void;
  /** A write has failed because the disk is full. */
  readonly onFull: () => void;
  readonly onFatal: (error: StorageError) => void;
}

/** A request that has not been answered. */
interface Pending<Request> {
  readonly request: Request;
  /** The number of its rows, and their bytes, if it can have many. */
  readonly size?: number;
  readonly bytes?: number;
  /** Takes the worker's result for `request`. */
  readonly resolve: (result: never) => void;
  readonly reject: (error: StorageError) => void;
}

/** Rows that are sent as one call. */
class Group<Row> implements Pending<OperationCall> {
  readonly rows: Row[] = [];
  bytes = 0;
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
  readonly #operation: string;
  readonly #pack: (rows: readonly Row[]) => readonly unknown[];

  constructor(operation: string, pack: (rows: readonly Row[]) => readonly unknown[]) {
    this.#operation = operation;
    this.#pack = pack;
    ({ promise: this.durable, resolve: this.resolve, reject: this.reject } = Promise.withResolvers<void>());
  }

  /** Packs the rows present when the call is sent. */
  get request(): OperationCall {
    return [this.#operation, this.#pack(this.rows)];
  }

  get size(): number {
    return this.rows.length;
  }
}

/**
 * Carries operations to the worker and its answers back. The calls of one turn of the event loop go as one batch; calls made while the
 * worker is busy are the next batch. So the slower the disk, the larger the groups that are committed together, without any timer.
 */
export class OperationQueue implements StorageLoad {
  readonly #worker: Worker;
  readonly #deps: OperationQueueDeps;
  readonly #exited: Promise<void>;
  #calls: Pending<OperationCall>[] = [];
  readonly #maintenance: Pending<MaintenanceTask>[] = [];
  /** The requests that the worker is busy with. */
  #sent: readonly Pending<unknown>[] = [];
  #scheduled = false;
  #closing = false;
  #ended: { readonly code: 'io' | 'closed'; readonly message: string } | undefined;
  #commits = 0;
  #took: ((durationMs: number) => void) | undefined;
  #sentAtMs = 0;

  constructor(worker: Worker, deps: OperationQueueDeps) {
    this.#worker = worker;
    this.#deps = deps;
    worker.on('message', (answers: Answers) => this.#settle(answers));
    worker.on('error', (cause) => this.#fail(new StorageError('io', `The storage thread died: ${cause}`, { cause })));
    this.#exited = workerExit(worker);
    worker.on('exit', () => this.#fail(new StorageError('io', 'The storage thread ended')));
  }

  get commits(): number {
    return this.#commits;
  }

  get waiting(): number {
    return this.#calls.length + this.#sent.length;
  }

  followBatches(took: (durationMs: number) => void): void {
    this.#took = took;
  }

  /**
   * Has the worker execute one operation, after all those called before it. The caller knows the type of its result. If it adds data, it
   * is refused while the disk is nearly full.
   */
  run<Result>(operation: string, args: readonly unknown[], addsData = false): Promise<Result> {
    const refusal = this.#refusalOf(addsData);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#calls.push({ request: [operation, args], resolve, reject });
      this.#schedule();
    });
  }

  /**
   * A function that gives one row to an operation for many. The rows of one turn, unless another call comes between them, go to the
   * worker as one call and share its promise: all are durable, or all have failed. `bytesOf` measures the content of a row.
   */
  gather<Row>(
    operation: string,
    bytesOf: (row: Row) => number,
    pack: (rows: readonly Row[]) => readonly unknown[],
    addsData = false,
  ): (row: Row) => Promise<void> {
    let group: Group<Row> | undefined;
    return (row) => {
      const refusal = this.#refusalOf(addsData);
      if (refusal !== undefined) return Promise.reject(refusal);
      const bytes = rowBytes + bytesOf(row);
      if (group === undefined || group !== this.#calls.at(-1) || this.#isFull(group.size + 1, group.bytes + bytes)) {
        group = new Group(operation, pack);
        this.#calls.push(group);
        this.#schedule();
      }
      group.rows.push(row);
      group.bytes += bytes;
      return group.durable;
    };
  }

  #refusalOf(addsData: boolean): StorageError | undefined {
    if (this.#ended !== undefined) return this.refusal;
    return addsData && this.#deps.isRefusing() ? new StorageError('full', 'The disk is nearly full') : undefined;
  }

  /** Has the worker do maintenance before the next batch. */
  maintain<Task extends MaintenanceTask>(task: Task): Promise<ReturnType<Maintenance[Task]>> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    return new Promise((resolve, reject) => {
      this.#maintenance.push({ request: task, resolve, reject });
      this.#schedule();
    });
  }

  /** The error that rejects further operations, if the queue has ended. */
  get refusal(): StorageError | undefined {
    return this.#ended && new StorageError(this.#ended.code, this.#ended.message);
  }

  /** Accepts no more operations, finishes those it has, waits for `others`, and ends the worker. */
  async close(others: Promise<unknown>): Promise<void> {
    if (this.#ended === undefined) {
      this.#ended = { code: 'closed', message: 'The storage is closed' };
      await others;
      this.#closing = true;
      this.#schedule();
    }
    await this.#exited;
  }

  #schedule(): void {
    if (this.#scheduled || this.#sent.length > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#advance();
    });
  }

  /** Sends the next request unless the worker is busy. */
  #advance(): void {
    if (this.#sent.length > 0) return;
    const task = this.#maintenance.shift();
    if (task !== undefined) {
      this.#sent = [task];
      this.#post(task.request);
    } else if (this.#calls.length > 0) {
      const batch = this.#takeBatch();
      this.#sent = batch;
      this.#post(batch.map(({ request }) => request));
    } else if (this.#closing) {
      this.#post('close');
    }
  }

  /** The first calls, as many as one transaction may have. */
  #takeBatch(): Pending<OperationCall>[] {
    let [taken, rows, bytes] = [0, 0, 0];
    for (const call of this.#calls) {
      const callBytes = call.bytes ?? rowBytes + bytesIn(call.request);
      rows += call.size ?? 1;
      if (taken > 0 && this.#isFull(rows, bytes + callBytes)) break;
      bytes += callBytes;
      taken += 1;
    }
    this.#deps.onBatch(bytes);
    return this.#calls.splice(0, taken);
  }

  #isFull(rows: number, bytes: number): boolean {
    return rows > maxBatchRows || bytes > this.#deps.maxBatchBytes;
  }

  #post(request: WorkerRequest): void {
    if (this.#took) this.#sentAtMs = performance.now();
    this.#worker.postMessage(request);
  }

  #settle({ results, failures, committed, full, fatal }: Answers): void {
    this.#took?.(performance.now() - this.#sentAtMs);
    const answered = this.#sent;
    this.#sent = [];
    if (committed) this.#commits++;
    if (full) this.#deps.onFull();
    // First, so that the worker has work while the callers react.
    if (fatal === undefined) this.#advance();
    for (const [index, { resolve, reject }] of answered.entries()) {
      const failure = failures.get(index);
      if (failure !== undefined) reject(new StorageError(failure.code, failure.message));
      // The worker answers each call with the result of its operation; the type of the message cannot say so.
      else resolve(results[index] as never);
    }
    if (fatal !== undefined) this.#fail(new StorageError(fatal.code, fatal.message));
  }

  #fail(error: StorageError): void {
    const unanswered = [...this.#sent, ...this.#maintenance, ...this.#calls];
    const finished = this.#closing && unanswered.length === 0;
    if (this.#ended?.code === 'io' || finished) return;
    this.#ended = { code: 'io', message: `The storage has failed: ${error.message}` };
    this.#sent = [];
    this.#maintenance.length = 0;
    this.#calls = [];
    for (const { reject } of unanswered) reject(new StorageError('io', this.#ended.message));
    void this.#worker.terminate();
    this.#deps.onFatal(error);
  }
}

/** The bytes of the buffers and texts in the arguments of a call. */
function bytesIn(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  if (value instanceof Uint8Array) return value.byteLength;
  let bytes = 0;
  for (const part of Object.values(value)) bytes += bytesIn(part);
  return bytes;
}
