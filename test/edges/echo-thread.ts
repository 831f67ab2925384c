import { parentPort, workerData } from 'node:worker_threads';
import { type LinkMemory, ThreadLink } from '../../src/edges/thread-link.ts';

// Sends everything back, until it is told to end.
const memory: LinkMemory = workerData;
const link = new ThreadLink(memory, 'edge', {
  took: (kind, id, payload) => void link.put(kind, id, payload),
  relieved: () => {},
});
parentPort?.once('message', () => {
  link.close();
  parentPort?.close();
});
