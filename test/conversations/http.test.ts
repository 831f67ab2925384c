import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { type Server, startServer } from '../../src/compose/server.ts';
import { configSchema } from '../../src/config/schema.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { exchange } from '../web/http/raw-http.ts';

const here = [{ host: '127.0.0.1', port: 0 }];
const nowhere = { c2sTls: [], components: [], proxy: [] };

describe('The HTTP listener of a server', () => {
  const log = new RecordingLog();
  let directory: string;
  let server: Server;
  let failStorage: (error: Error) => void;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ampere-http-'));
    const config = configSchema({ directory, environment: {} }).parse({
      dataDir: '.',
      listen: { ...nowhere, c2s: here, http: here, https: here },
      s2s: { enabled: false },
      storage: { quickCheck: false, ballastBytes: 0 },
    });
    server = await startServer(config, {
      log,
      openStorage: (options) => {
        failStorage = options.onFatal;
        return openSqliteStorage(options);
      },
    });
  });
  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true });
  });

  const portOf = ([address]: readonly AddressInfo[]) => address?.port ?? 0;

  it('answers probes', async () => {
    expect(await exchange(portOf(server.addresses.http), 'GET /healthz')).to.match(/^HTTP\/1\.1 200 .*\r\n\r\nok\n$/s);
  });

  it('answers probes over TLS, with the certificates of the domains', async () => {
    const ca = await readFile(server.developmentAuthority ?? '');
    const port = portOf(server.addresses.https);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ host: '127.0.0.1', port, servername: 'localhost', ca, path: '/healthz', agent: false }, resolve)
        .on('error', reject)
        .end();
    });
    expect([response.statusCode, await text(response)]).to.deep.equal([200, 'ok\n']);
  });

  it('tells probes that storage has failed', async () => {
    failStorage(new Error('the disk of a test'));
    const answer = await exchange(portOf(server.addresses.http), 'GET /healthz');
    expect(answer).to.match(/^HTTP\/1\.1 503 .*\r\n\r\nstorage failed\n$/s);
  });

  it('writes probes into the log at debug level only', () => {
    const lines = log.lines.filter((line) => line.includes('/healthz'));
    expect(lines.map((line) => line.split(' ')[0])).to.deep.equal(['debug', 'debug', 'debug']);
  });
});
