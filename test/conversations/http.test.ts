import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { type Server, startServer } from '../../src/compose/server.ts';
import { configSchema } from '../../src/config/schema.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { Stage } from '../support/conversation.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { TestClient } from '../support/test-client.ts';
import { findTree } from '../support/xml-tree.ts';
import { connected, exchange, readUntil, requestText } from '../web/http/raw-http.ts';

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

  it('answers probes whatever they call it, and other requests only for its own names', async () => {
    const asks = (host: string, path: string) =>
      exchange(portOf(server.addresses.http), `GET http://${host}${path}`).then((answer) => answer.split(' ')[1]);
    expect(await asks('backend.internal', '/healthz')).to.equal('200');
    for (const name of ['localhost', 'upload.localhost', '127.0.0.1', hostname()])
      expect(await asks(name, '/')).to.equal('200');
    for (const name of ['evil.example', 'localhost.evil.example']) expect(await asks(name, '/')).to.equal('421');
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

  it('tells those who speak no WebSocket to do so, and closes (RFC 9110 §15.5.22)', async () => {
    const answer = await exchange(portOf(server.addresses.http), 'GET /ws');
    expect(answer)
      .to.match(/^HTTP\/1\.1 426 /)
      .and.to.match(/^connection: Upgrade, close\r$/im);
  });

  it('writes probes into the log at debug level only', () => {
    const lines = log.lines.filter((line) => line.includes('/healthz'));
    expect(lines.map((line) => line.split(' ')[0])).to.deep.equal(['debug', 'debug', 'debug', 'debug']);
  });

  for (const path of [
    '/',
    '/healthz',
    '/readyz',
    '/.well-known/host-meta',
    '/.well-known/host-meta.json',
    '/xmpp-websocket',
    '/ws',
    '/http-bind',
    '/upload/token/name',
    '/files/id/name',
    '/invite/token',
    '/reset/token',
    '/chat',
    '/converse/',
    '/console',
    '/console/accounts',
    '/console/login/token',
    '/assets/ampere.css',
    '/assets/ampere.svg',
    '/metrics',
    '/nowhere',
  ])
    it(`sends headers that protect the browser with ${path}`, async () => {
      const socket = await connected(portOf(server.addresses.http));
      socket.write(requestText(`GET ${path}`));
      const [head = ''] = (await readUntil(socket, '\r\n\r\n')).split('\r\n\r\n');
      socket.destroy();
      const values = new Map(head.split('\r\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
      expect(values.get('x-content-type-options')).to.equal('nosniff');
      expect(values.get('content-security-policy')).to.match(/default-src 'none';.* ?frame-ancestors 'none'/);
      expect(values.get('referrer-policy')).to.be.oneOf(['no-referrer', 'same-origin']);
      expect(values.get('cache-control')).to.be.a('string');
      for (const name of ['server', 'x-powered-by', 'set-cookie']) expect(values.has(name), name).to.equal(false);
    });
});

describe('A port of HTTPS', () => {
  const stage = new Stage({
    settings: { listen: { c2s: here, ...nowhere, c2sTls: here, https: here }, s2s: { enabled: false } },
  });

  /** Connects to HTTPS and offers these protocols (ALPN). */
  async function offers(...ALPNProtocols: string[]): Promise<TestClient> {
    const { host, port, tls } = stage.server.https ?? { host: '', port: 0, tls: {} };
    const offer = ALPNProtocols.length > 0 ? { ALPNProtocols } : {};
    return stage.keep(await TestClient.connect({ host, port, tls: { ...tls, ...offer } }, stage.domain));
  }

  it('takes clients that ask for XMPP, as a port for direct TLS does (XEP-0368 §3)', async () => {
    const { local, password } = await stage.account('romeo');
    const romeo = await offers('xmpp-client');
    expect(romeo.connection.tls?.alpnProtocol).to.equal('xmpp-client');
    const features = await romeo.opens();
    expect(findTree(features, 'starttls')).to.equal(undefined);
    for (const bindingType of ['tls-exporter', 'tls-server-end-point'] as const) {
      const client = await offers('h2', 'xmpp-client');
      await client.opens();
      const login = { username: local, password, mechanism: 'SCRAM-SHA-256-PLUS', bindingType };
      await client.authenticates(login);
      await client.binds(bindingType);
      await client.appears();
      const { juliet } = await stage.enter(['juliet']);
      juliet.sends(`<message to="${client.jid}"><body>O Romeo</body></message>`);
      await client.receives(`<message from="${juliet.jid}"><body>O Romeo</body></message>`);
    }
  });

  it('tells them that the server stops', async () => {
    const client = await offers('xmpp-client');
    await client.opens();
    const restarted = stage.server.restart();
    await client.receivesStreamError('system-shutdown');
    await restarted;
  });

  it('speaks HTTP with everybody who can', async () => {
    expect((await offers('xmpp-client', 'http/1.1')).connection.tls?.alpnProtocol).to.equal('http/1.1');
    expect((await offers()).connection.tls?.alpnProtocol).to.equal(false);
  });
});
