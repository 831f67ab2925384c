import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { ampleQuota, sampleCredentials, sampleMessage } from './samples.ts';

// A process of its own for tests: `append <dir>` prints the id of each message once it is acknowledged, until it is killed;
// `open <dir>` prints how opening the directory went.
const [, , task, dataDir = ''] = process.argv;

async function append(): Promise<void> {
  const storage = await openSqliteStorage({ dataDir, onFatal: fail });
  await storage.accounts.create('juliet@capulet.example', sampleCredentials());
  const appendOne = async (): Promise<void> => {
    const id = await storage.offline.append('juliet@capulet.example', sampleMessage('hark'), ampleQuota);
    process.stdout.write(`${id}\n`);
    return appendOne();
  };
  await Promise.all(Array.from({ length: 10 }, appendOne));
}

async function open(): Promise<void> {
  const outcome = await openSqliteStorage({ dataDir, onFatal: fail }).catch((error: unknown) => error);
  if (outcome instanceof StorageError) process.stdout.write(`${outcome.code}: ${outcome.message}`);
  else process.exit(1);
}

function fail(error: Error): void {
  throw error;
}

await (task === 'append' ? append() : open());
