import { once } from 'node:events';
import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startServer } from '../../src/compose/server.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { controlSocketPath } from '../../src/web/control/socket-path.ts';
import { freePort } from '../support/free-port.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { startTestServer } from '../support/test-server.ts';

const host = '127.0.0.1';

describe('Ports that somebody else has', () => {
  const other = createServer();
  let taken: { host: string; port: number; optional: boolean };

  before(async () => {
    other.listen(0, host);
    await once(other, 'listening');
    taken = { host, port: (other.address() as AddressInfo).port, optional: true };
  });
  after(() => void other.close());

  it('for other servers, components and browsers are done without, if they are optional', async () => {
    const server = await startTestServer({
      settings: {
        listen: { c2s: [{ host, port: 0 }], c2sTls: [], s2s: [taken], s2sTls: [], components: [taken], http: [taken] },
        s2s: { enabled: true },
        components: { 'echo.localhost': { secret: 'x' } },
      },
    });
    expect(server.c2s.port).to.be.above(0);
    await server.stop();
  });

  it('for clients are not, if there are no others', async () => {
    const failure = await startTestServer({ settings: { listen: { c2s: [taken], c2sTls: [] } } }).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(failure).to.equal('Clients (STARTTLS): cannot listen on any of the addresses');
  });
});

describe('A start that fails', () => {
  const listener = async () => ({ host, port: await freePort() });
  let directory: string;
  let config: Config;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ampere-start-'));
    config = configSchema({ directory, environment: {} }).parse({
      dataDir: '.',
      listen: {
        c2s: [await listener()],
        c2sTls: [await listener()],
        s2s: [await listener()],
        s2sTls: [await listener()],
        components: [await listener(), await listener()],
        http: [],
        https: [],
        proxy: [],
      },
      components: { 'echo.localhost': { secret: 'x' } },
      storage: { quickCheck: false, ballastBytes: 0 },
      limits: { disabled: true },
      edges: Number(process.env['AMPERE_EDGES'] ?? 0),
    });
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const starts = () => startServer(config, { log: new RecordingLog() });
  const failure = () =>
    starts().then(
      () => 'none',
      (error: unknown) => String(error),
    );

  it('at the last port leaves nothing open, and says why', async () => {
    const other = createServer().listen(config.listen.components[1]);
    await once(other, 'listening');
    expect(await failure()).to.contain('EADDRINUSE');
    other.close();
    await once(other, 'close');
    await (await starts()).stop();
  });

  it('after all ports are open leaves nothing open, and says why', async () => {
    const socket = controlSocketPath(config.dataDir);
    await mkdir(socket);
    expect(await failure()).to.contain('EISDIR');
    await rmdir(socket);
    await (await starts()).stop();
  });
});
