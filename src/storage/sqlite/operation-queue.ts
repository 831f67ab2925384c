import type { Worker } from 'node:worker_threads';
import { StorageError } from '../storage-error.ts';
import type { Answers, WorkerRequest } from './messages.ts';
import type { OperationArguments, OperationCall, OperationName, OperationResult } from './operations.ts';
import { workerExit } from './worker-thread.ts';

/** Bounds the transaction, and with it the time until its first promise is kept. */
const maxBatchCalls = 1024;

/** What the queue asks of and tells to the rest of the storage. */
interface OperationQueueDeps {
  /** Whether there is no room for what a call would add. */
  readonly refuses: (call: OperationCall) => boolean;
  /** A write has failed because the disk is full. */
  readonly onFull: () => void;
  readonly onFatal: (error: StorageError) => void;
}

interface Waiting {
  readonly call: OperationCall;
  /** Takes what the worker answers to `call`. */
  readonly resolve: (result: never) => void;
  readonly reject: (error: StorageError) => void;
}

/**
 * Carries operations to the worker and its answers back. The calls of one turn of the event loop go as one batch; what is called while
 * the worker is at it is the next batch. So commits group as much as the disk is slow, and nobody waits for a timer.
 */
export class OperationQueue {
  readonly #worker: Worker;
  readonly #deps: OperationQueueDeps;
  readonly #exited: Promise<void>;
  #waiting: Waiting[] = [];
  #sent: Waiting[] = [];
  #scheduled = false;
  #closing = false;
  #ended: { readonly code: 'io' | 'closed'; readonly message: string } | undefined;
  #commits = 0;

  constructor(worker: Worker, deps: OperationQueueDeps) {
    this.#worker = worker;
    this.#deps = deps;
    worker.on('message', (answers: Answers) => this.#settle(answers));
    worker.on('error', (cause) => this.#fail(new StorageError('io', `The storage thread died: ${cause}`, { cause })));
    this.#exited = workerExit(worker);
    worker.on('exit', () => this.#fail(new StorageError('io', 'The storage thread ended')));
  }

  /** How many transactions have been committed. */
  get commits(): number {
    return this.#commits;
  }

  /** Has the worker execute one operation, after all those called before it. */
  run<Name extends OperationName>(name: Name, ...args: OperationArguments<Name>): Promise<OperationResult<Name>> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    const call: OperationCall<Name> = [name, args];
    if (this.#deps.refuses(call)) return Promise.reject(new StorageError('full', 'The disk is nearly full'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject });
      this.#schedule();
    });
  }

  /** Why no more operations are taken, if they are not. */
  get refusal(): StorageError | undefined {
    return this.#ended && new StorageError(this.#ended.code, this.#ended.message);
  }

  /** Takes no more operations, finishes those it has, and, when others do not need it any more, ends the worker. */
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

  /** Sends what waits unless the worker is busy. */
  #advance(): void {
    if (this.#sent.length > 0) return;
    if (this.#waiting.length > 0) {
      this.#sent = this.#waiting.splice(0, maxBatchCalls);
      this.#post(this.#sent.map(({ call }) => call));
    } else if (this.#closing) {
      this.#post('close');
    }
  }

  #post(request: WorkerRequest): void {
    this.#worker.postMessage(request);
  }

  #settle({ results, failures, committed, full, fatal }: Answers): void {
    const batch = this.#sent;
    this.#sent = [];
    if (committed) this.#commits++;
    if (full) this.#deps.onFull();
    // Before anybody is told: the worker should not wait for what they do then.
    if (fatal === undefined) this.#advance();
    for (const [index, { resolve, reject }] of batch.entries()) {
      const failure = failures.get(index);
      if (failure !== undefined) reject(new StorageError(failure.code, failure.message));
      // The worker answers each call with the result of its operation; the type of the message cannot say so.
      else resolve(results[index] as never);
    }
    if (fatal !== undefined) this.#fail(new StorageError(fatal.code, fatal.message));
  }

  #fail(error: StorageError): void {
    const finished = this.#closing && this.#sent.length === 0 && this.#waiting.length === 0;
    if (this.#ended?.code === 'io' || finished) return;
    this.#ended = { code: 'io', message: `The storage has failed: ${error.message}` };
    const lost = [...this.#sent, ...this.#waiting];
    this.#sent = [];
    this.#waiting = [];
    for (const { reject } of lost) reject(new StorageError('io', this.#ended.message));
    void this.#worker.terminate();
    this.#deps.onFatal(error);
  }
}
