import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StorageError } from '../storage-error.ts';

/** Starts a module beside this one as a worker: the .ts file in a checkout, the .js file in a build. */
export function startWorker(module: string, workerData: object): Worker {
  return new Worker(new URL(`./${module}${extname(import.meta.url)}`, import.meta.url), { workerData });
}

/** The first message of a worker. Rejects if the worker ends without one. */
export function firstMessage<Message>(worker: Worker): Promise<Message> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (cause) => reject(new StorageError('io', `A storage thread died: ${cause}`, { cause })));
    worker.once('exit', () => reject(new StorageError('io', 'A storage thread ended without a message')));
  });
}

/** Resolves when a worker has ended and released its resources. */
export function workerExit(worker: Worker): Promise<void> {
  return new Promise((resolve) => worker.once('exit', () => resolve()));
}
