import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../support/clock.ts';
import { collectAfterStart } from '../../support/collect-after-start.ts';
import { BatchExecutor } from './execute-batch.ts';
import { toStorageError } from './failures.ts';
import { families } from './families/index.ts';
import type { DatabaseOptions, WorkerReport, WorkerRequest } from './messages.ts';
import { openDatabase } from './open-database.ts';
import { OperationTable } from './operation-table.ts';

// The thread that owns the database: calls of SQLite and fsyncs block this thread instead of the server.
const port = parentPort;
if (port === null) throw new Error('This module runs only as a worker');
const options: DatabaseOptions = workerData;
const report = (message: WorkerReport): void => port.postMessage(message);

function serve(): void {
  const { db, ballast, migration, close } = openDatabase(options);
  const operations = new OperationTable(db, families);
  const executor = new BatchExecutor({ db, operations, ballast, dataDir: options.dataDir });
  const schemaVersion = Number(db.pragma('user_version', { simple: true }));
  port?.on('message', (request: WorkerRequest) => {
    if (typeof request !== 'string') return report(executor.execute(request));
    if (request !== 'close') return report(executor.maintain(request));
    close();
    port.close();
  });
  collectAfterStart(systemClock);
  const lastId = db.prepare<[], number | null>('SELECT max(seq) FROM sqlite_sequence').pluck().get() ?? 0;
  report({ kind: 'opened', schemaVersion, lastId, migration, hasBallast: ballast.present });
}

try {
  serve();
} catch (error) {
  const { code, message } = toStorageError(error);
  report({ kind: 'refused', failure: { code, message } });
}
