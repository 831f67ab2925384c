// Runs as a worker thread: see bcrypt-comparison.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { compare } from 'bcryptjs';
import type { BcryptComparison } from './bcrypt-comparison.ts';

const { password, hash } = workerData as BcryptComparison;
parentPort?.postMessage(await compare(password, hash));
