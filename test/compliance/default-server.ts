import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Server, startServer } from '../../src/compose/server.ts';
import { listenerKinds } from '../../src/config/listener-kinds.ts';
import { configSchema } from '../../src/config/schema.ts';
import { addUser } from '../../src/web/control/user-operations.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { TestClient } from '../support/test-client.ts';
import type { ConnectionTarget } from '../support/test-connection.ts';

export const domain = 'capulet.example';
const password = 'a rose by any other name';

/** The answer to an HTTP request. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server whose configuration names its domain, and nothing else unless a test says so. Only its ports are chosen by the system. */
export class DefaultServer {
  readonly #settings: object;
  #server!: Server;
  #directory = '';
  #ca!: Buffer;

  constructor(settings: object = {}) {
    this.#settings = settings;
  }

  async start(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'ampere-default-'));
    const anyPort = [{ host: '127.0.0.1', port: 0 }];
    const listen = Object.fromEntries(
      Object.entries(listenerKinds).map(([name, { byDefault }]) => [name, byDefault ? anyPort : []]),
    );
    const input = { ...this.#settings, domains: [domain], dataDir: '.', listen };
    const config = configSchema({ directory: this.#directory, environment: {} }).parse(input);
    this.#server = await startServer(config, { log: new RecordingLog() });
    this.#ca = await readFile(this.#server.developmentAuthority ?? '');
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Connects to the port with TLS from the first byte. */
  async connect(): Promise<TestClient> {
    const tls = { ca: this.#ca, servername: domain, ALPNProtocols: ['xmpp-client'] };
    return TestClient.connect({ ...target(this.#server.addresses.c2sTls), tls }, domain);
  }

  /** Connects to the port with STARTTLS. */
  async connectPlain(): Promise<TestClient> {
    return TestClient.connect(target(this.#server.addresses.c2s), domain);
  }

  /** A new account with a client that has sent initial presence. */
  async arrives(name: string): Promise<TestClient> {
    await this.#server.administration.call(addUser, { jid: `${name}@${domain}`, password });
    const client = await this.connect();
    await client.opens();
    await client.authenticates({ username: name, password });
    await client.binds();
    await client.appears();
    return client;
  }

  /** Asks the HTTPS port, which a client finds at the URL `https://capulet.example`. */
  async asks(method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    const { host, port } = target(this.#server.addresses.https);
    const tls = { ca: this.#ca, servername: domain };
    return answerTo(secureRequest({ host, port, method, path, headers, agent: false, ...tls }));
  }

  /** Asks for an upgrade to WebSocket; returns the status and the protocol that the server has chosen. */
  async upgrades(path: string): Promise<string> {
    const { host, port } = target(this.#server.addresses.http);
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Protocol': 'xmpp',
    };
    const asked = request({ host, port, path, headers, agent: false });
    return new Promise((resolve, reject) => {
      asked.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(`${response.statusCode} ${response.headers['sec-websocket-protocol']}`);
      });
      asked.on('response', (response) => reject(new Error(`no upgrade: ${response.statusCode}`)));
      asked.on('error', reject);
      asked.end();
    });
  }
}

function target(addresses: readonly AddressInfo[]): ConnectionTarget {
  const [address] = addresses;
  if (!address) throw new Error('the server does not listen');
  return { host: address.address, port: address.port };
}

async function answerTo(asked: ReturnType<typeof request>): Promise<HttpAnswer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve);
    asked.on('error', reject);
    asked.end();
  });
  const { statusCode: status = 0, headers } = response;
  return { status, headers, body: (await buffer(response)).toString() };
}
