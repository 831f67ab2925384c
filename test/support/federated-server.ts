import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configSchema } from '../../src/config/schema.ts';
import { streamLimits } from '../../src/config/stream-options.ts';
import { type Server, startServer } from '../../src/server.ts';
import type { FederationOptions } from '../../src/streams/federation/federation-options.ts';
import type { Target } from '../../src/streams/federation/target.ts';
import { DevelopmentAuthority } from '../../src/streams/tls/development-authority.ts';
import { RecordingLog } from './recording-log.ts';
import { TestClient } from './test-client.ts';

/** What a federated server may have that is not as usual. */
export interface FederatedServerOptions extends Partial<FederationOptions> {
  /** PEM of the authorities of other servers. */
  readonly trust?: string;
  readonly start?: 'starttls' | 'direct';
}

/** Where each domain's server is, as every server of a test sees it. */
export type Neighbourhood = Map<string, readonly Target[]>;

/** One Ampere among others, on loopback, with a development authority of its own. */
export class FederatedServer {
  readonly domain: string;
  readonly log = new RecordingLog();
  readonly #directory: string;
  readonly #options: FederatedServerOptions;
  readonly #neighbours: Neighbourhood;
  #server!: Server;
  #port = 0;

  private constructor(domain: string, directory: string, neighbours: Neighbourhood, options: FederatedServerOptions) {
    this.domain = domain;
    this.#directory = directory;
    this.#neighbours = neighbours;
    this.#options = options;
  }

  /** Servers for the domains; with certificates they trust each other's. */
  static async startAll(
    domains: readonly string[],
    by: 'certificate' | 'dialback',
    options: FederatedServerOptions = {},
  ): Promise<FederatedServer[]> {
    const directories = await Promise.all(domains.map(() => mkdtemp(join(tmpdir(), 'ampere-federation-'))));
    const authorities: string[] = [];
    for (const [index, domain] of domains.entries()) {
      const authority = new DevelopmentAuthority(join(directories[index] ?? '', 'tls'), Date.now());
      await authority.certificates([domain]);
      authorities.push(await readFile(authority.certificateFile, 'utf8'));
    }
    const trust = by === 'certificate' ? authorities.join('') : '';
    const neighbours: Neighbourhood = new Map();
    const servers = domains.map(
      (domain, index) => new FederatedServer(domain, directories[index] ?? '', neighbours, { trust, ...options }),
    );
    for (const server of servers) await server.start();
    return servers;
  }

  get port(): number {
    return this.#port;
  }

  get administration(): Server['administration'] {
    return this.#server.administration;
  }

  async start(): Promise<void> {
    const { trust = '', start = 'starttls', ...options } = this.#options;
    const listen = [{ host: '127.0.0.1', port: this.#port }];
    const config = configSchema({ directory: this.#directory, environment: {} }).parse({
      domains: [this.domain],
      dataDir: '.',
      listen: {
        c2s: [{ host: '127.0.0.1', port: 0 }],
        c2sTls: [],
        s2s: start === 'starttls' ? listen : [],
        s2sTls: start === 'direct' ? listen : [],
      },
      authentication: { scramIterations: 4096 },
      storage: { quickCheck: false },
      limits: { disabled: true },
    });
    const usual: FederationOptions = {
      deny: [],
      authentication: 'dialback',
      tlsRequired: true,
      domains: new Map(),
      overrides: this.#neighbours,
      allowPrivateAddresses: false,
      connectMs: 5000,
      establishMs: 10_000,
      idleCloseMs: 600_000,
      waiting: { stanzas: 2000, bytes: 10_000_000, maxWaitMs: 30_000 },
      backOff: { firstMs: 2000, longestMs: 300_000 },
      limits: streamLimits(config),
    };
    const federation = { options: { ...usual, ...options }, trust };
    this.#server = await startServer(config, { log: this.log, federation });
    const { s2s, s2sTls } = this.#server.addresses;
    this.#port = [...s2s, ...s2sTls][0]?.port ?? 0;
    this.#neighbours.set(this.domain, [{ host: '127.0.0.1', port: this.#port, tls: start, fixed: true }]);
  }

  /** A client of a new account. */
  async arrives(name: string, presence: string | false = '<presence/>'): Promise<TestClient> {
    await this.administration.addUser(`${name}@${this.domain}`, 'pw');
    return this.logsIn(name, presence);
  }

  async logsIn(name: string, presence: string | false = '<presence/>'): Promise<TestClient> {
    const [c2s] = this.#server.addresses.c2s;
    const client = await TestClient.connect({ host: '127.0.0.1', port: c2s?.port ?? 0 }, this.domain);
    await client.opens();
    await client.startsTls({ ca: await readFile(this.#server.developmentAuthority ?? '') });
    await client.opens();
    await client.authenticates({ username: name, password: 'pw' });
    await client.binds('r');
    if (presence !== false) await client.appears(presence);
    return client;
  }

  /** Stops as an operator would. */
  async halt(): Promise<void> {
    await this.#server.stop();
  }

  /** Stops for good; rejects if the server complained of itself. */
  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#directory, { recursive: true, force: true });
    const { alarms } = this.log;
    if (alarms.length > 0) throw new Error(`${this.domain} logged errors:\n${alarms.join('\n')}`);
  }
}
