import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlClient } from '../../src/cli/control-client.ts';
import { startServer } from '../../src/compose/server.ts';
import { configSchema } from '../../src/config/schema.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { backup } from '../../src/web/control/server-operations.ts';
import { Stage } from '../support/conversation.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { TestClient } from '../support/test-client.ts';

describe('A server that stops (RFC 6120 §4.9.3.20)', () => {
  const stage = new Stage();

  it('says system-shutdown to everybody, with a header where none was sent (RFC 6120 §4.9.1.2)', async () => {
    const silent = [await stage.client(), await stage.plainClient()];
    const plain = await stage.plainClient();
    await plain.opens();
    const secure = await stage.client();
    await secure.opens();
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const restarted = stage.server.restart();
    for (const client of [plain, secure, romeo, juliet]) await client.receivesStreamError('system-shutdown');
    for (const client of silent) await client.receivesStreamError('system-shutdown', { header: true });
    await restarted;
  });

  it('does first what clients asked for before (RFC 6120 §4.4)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const juliet = await stage.account('juliet');
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>before the end</body></message>`);
    await romeo.settles();
    await stage.server.restart();
    const late = await juliet.arrives();
    const bodies = late.arrival.filter(({ name }) => name === 'message').map(({ children }) => children[0]?.text);
    if (bodies.join() !== 'before the end') throw new Error(`there came ${bodies.join() || 'nothing'}`);
  });

  it('accepts accounts and passwords of before when it is back', async () => {
    const romeo = await stage.account('romeo');
    await stage.server.restart();
    await (await romeo.arrives()).receivesNothing();
  });

  it('lets no client wait for a backup under way', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ampere-shutdown-'));
    const listen = { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], components: [] };
    const config = configSchema({ directory: dataDir, environment: {} }).parse({
      dataDir,
      listen,
      s2s: { enabled: false },
    });
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const openStorage: typeof openSqliteStorage = async (options) => ({
      ...(await openSqliteStorage(options)),
      backup: () => {
        begin();
        return finished;
      },
    });
    const server = await startServer(config, { log: new RecordingLog(), openStorage });
    const [address] = server.addresses.c2s;
    const client = await TestClient.connect({ host: '127.0.0.1', port: address?.port ?? 0 }, 'localhost');
    await client.opens();
    const copied = (await ControlClient.connect(dataDir))?.call(backup, { file: join(dataDir, 'copy.db') });
    await begun;
    const stopped = server.stop();
    try {
      await client.receivesStreamError('system-shutdown');
    } finally {
      finish();
      await copied;
      await stopped;
    }
    await rm(dataDir, { recursive: true, force: true });
  });
});
