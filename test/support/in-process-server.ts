import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { type Server, startServer } from '../../src/compose/server.ts';
import { configSchema } from '../../src/config/schema.ts';
import { addUser } from '../../src/web/control/user-operations.ts';
import { RecordingLog } from './recording-log.ts';
import type { ConnectionTarget } from './test-connection.ts';
import type { Settings, TestServer, TestServerOptions } from './test-server.ts';

/** What a server of a test has unless the test says otherwise: cheap passwords, no rates, ports of the system's choice. */
const usual = {
  listen: {
    c2s: [{ host: '127.0.0.1', port: 0 }],
    c2sTls: [{ host: '127.0.0.1', port: 0 }],
    components: [{ host: '127.0.0.1', port: 0 }],
  },
  s2s: { enabled: false },
  authentication: { scramIterations: 4096 },
  storage: { quickCheck: false, ballastBytes: 0 },
  limits: { disabled: true },
  // All conversations can be had through edges, too.
  edges: Number(process.env['AMPERE_EDGES'] ?? 0),
} as const satisfies Settings;

/** Starts Ampere in this process, with a data directory of its own. */
export async function startInProcessServer(options: TestServerOptions): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'ampere-conversation-'));
  const server = new InProcessServer(options, directory);
  try {
    await server.start();
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  return server;
}

class InProcessServer implements TestServer {
  readonly domains: readonly string[];
  readonly #options: TestServerOptions;
  readonly #directory: string;
  readonly #log = new RecordingLog();
  readonly #secrets = new Set<string>();
  #server!: Server;
  #ca!: Buffer;

  constructor(options: TestServerOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
    this.domains = options.domains ?? ['localhost'];
  }

  get trust(): ConnectionOptions {
    return { ca: this.#ca };
  }

  get c2s(): ConnectionTarget {
    return target(this.#server.addresses.c2s[0]);
  }

  get c2sTls(): ConnectionTarget {
    const tls = { ...this.trust, servername: this.domains[0] ?? '', ALPNProtocols: ['xmpp-client'] };
    return { ...target(this.#server.addresses.c2sTls[0]), tls };
  }

  get http(): ConnectionTarget {
    return target(this.#server.addresses.http[0]);
  }

  get https(): ConnectionTarget {
    return { ...target(this.#server.addresses.https[0]), tls: { ...this.trust, servername: this.domains[0] ?? '' } };
  }

  get components(): ConnectionTarget {
    return target(this.#server.addresses.components[0]);
  }

  async start(): Promise<void> {
    const { clock, diskSpace, settings, services = [], extensions } = this.#options;
    const listen = { http: [], https: [], proxy: [], ...(settings?.listen ?? usual.listen) };
    const input: Settings = { ...usual, domains: [...this.domains], ...settings, listen };
    const config = configSchema({ directory: this.#directory, environment: {} }).parse(input);
    const given = { ...(extensions && { extensions }), ...(clock && { clock }), ...(diskSpace && { diskSpace }) };
    this.#server = await startServer(config, { log: this.#log, services, ...given });
    this.#ca = await readFile(this.#server.developmentAuthority ?? '');
  }

  async addUser(jid: string, password: string): Promise<void> {
    this.#secrets.add(password).add(Buffer.from(password).toString('base64'));
    await this.#server.administration.call(addUser, { jid, password });
  }

  async restart(): Promise<void> {
    await this.#server.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#directory, { recursive: true, force: true });
    const { lines } = this.#log;
    const { complaint } = this.#options;
    const alarms = this.#log.alarms.filter((line) => complaint === undefined || !line.includes(complaint));
    if (alarms.length > 0) throw new Error(`the server logged errors:\n${alarms.join('\n')}`);
    const leak = lines.find((line) => [...this.#secrets].some((secret) => line.includes(secret)));
    if (leak !== undefined) throw new Error(`the server logged a secret: ${leak}`);
  }
}

function target(address: AddressInfo | undefined): ConnectionTarget {
  if (!address) throw new Error('the server listens nowhere');
  return { host: address.address, port: address.port };
}
