import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { ampleQuota, sampleCredentials, sampleMessage } from './samples.ts';

// A process of its own for tests: `append <dir>` prints the id of each message once it is acknowledged, until it is killed; `archive <dir>`
// does the same with messages in an archive, `publish <dir>` with items of a node, `post <dir>` with messages of a room;
// `open <dir> [<migrations>]` prints how opening the directory went; `leave <dir>` writes something and dies.
const [, , task, dataDir = '', migrationsDir] = process.argv;

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

async function archive(): Promise<void> {
  const storage = await openSqliteStorage({ dataDir, onFatal: fail });
  await storage.accounts.create('a@x.example', sampleCredentials());
  const number = (await storage.archive.open('a@x.example'))?.archive ?? 0;
  const appendOne = async (): Promise<void> => {
    const id = storage.archive.newId();
    await storage.archive.append({
      id,
      bytes: Buffer.from('hark'),
      recipient: { archive: number, peer: 'b@x.example' },
    });
    process.stdout.write(`${id}\n`);
    return appendOne();
  };
  await Promise.all(Array.from({ length: 10 }, appendOne));
}

async function publish(): Promise<void> {
  const owner = 'juliet@capulet.example';
  const storage = await openSqliteStorage({ dataDir, onFatal: fail });
  await storage.accounts.create(owner, sampleCredentials());
  let last = 0;
  const publishOne = async (): Promise<void> => {
    const id = String(++last);
    const item = { id, publishedAtMs: 0, payload: `<p>${id}</p>` };
    const create = { name: 'n', config: '{}', createdAtMs: 0 };
    await storage.pep.publish(owner, 'n', { create, items: [item], maxItems: 1_000_000, maxBytes: 1_000_000_000 });
    process.stdout.write(`${id}\n`);
    return publishOne();
  };
  await Promise.all(Array.from({ length: 10 }, publishOne));
}

async function post(): Promise<void> {
  const storage = await openSqliteStorage({ dataDir, onFatal: fail });
  const base = { createdAtMs: 0, config: '{}', occupantKey: Buffer.alloc(32), affiliations: [] };
  const room = await storage.rooms.create(
    { ...base, address: 'hall@conference.example' },
    { name: '', isPublic: false },
  );
  const postOne = async (): Promise<void> => {
    const id = storage.rooms.newMessageId();
    await storage.rooms.append({ room, id, bytes: Buffer.from('hark'), author: 'a@x.example/1', occupantId: 'o' });
    process.stdout.write(`${id}\n`);
    return postOne();
  };
  await Promise.all(Array.from({ length: 10 }, postOne));
}

async function open(): Promise<void> {
  const options = { dataDir, onFatal: fail, ...(migrationsDir !== undefined && { migrationsDir }) };
  const outcome = await openSqliteStorage(options).catch((error: unknown) => error);
  process.stdout.write(outcome instanceof StorageError ? `${outcome.code}: ${outcome.message}` : 'opened\n');
  process.exit();
}

async function leave(): Promise<void> {
  const storage = await openSqliteStorage({ dataDir, onFatal: fail });
  await storage.accounts.create('left@capulet.example', sampleCredentials());
  process.kill(process.pid, 'SIGKILL');
}

function fail(error: Error): void {
  throw error;
}

const tasks: Readonly<Record<string, () => Promise<void>>> = { append, archive, publish, post, open, leave };
await tasks[task ?? '']?.();
