import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** What the thread is given to compare. */
export interface BcryptComparison {
  readonly password: string;
  readonly hash: string;
}

/**
 * Whether a bcrypt hash is that of a password. In a thread of its own: bcryptjs computes in JavaScript and would hold
 * everybody up for as long as the hash is costly. An account needs this once, so starting the thread does not matter.
 */
export function fitsBcrypt(password: string, hash: string): Promise<boolean> {
  const workerData: BcryptComparison = { password, hash };
  const worker = new Worker(new URL(`./bcrypt-thread${extname(import.meta.url)}`, import.meta.url), { workerData });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread ended without an answer')));
  });
}
