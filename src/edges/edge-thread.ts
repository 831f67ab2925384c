import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../support/clock.ts';
import { collectAfterStart } from '../support/collect-after-start.ts';
import { complaintOf, type EdgeOptions, type EdgeReport, type EdgeRequest } from './edge-options.ts';
import { EdgeProgram } from './edge-program.ts';

// The entry point of an edge: a thread that holds client connections.
const port = parentPort;
if (port === null) throw new Error('This module runs only as a worker');
const options: EdgeOptions = workerData;
const report = (message: EdgeReport): void => port.postMessage(message);
const program = new EdgeProgram(options, systemClock, {
  error: (fields) => report({ kind: 'wrong', ...complaintOf('err' in fields ? fields.err : undefined) }),
});

collectAfterStart(systemClock);

// The core sends one request at a time.
port.on('message', (request: EdgeRequest) => {
  program.answer(request).then(
    (address) => report({ kind: 'done', address }),
    (error: unknown) => report({ kind: 'refused', ...complaintOf(error) }),
  );
});
