import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startServer } from '../../src/compose/server.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import type { Clock } from '../../src/support/clock.ts';
import { DevelopmentAuthority } from '../../src/tls/development-authority.ts';
import { addUser } from '../../src/web/control/user-operations.ts';
import { freePort } from './free-port.ts';
import { RecordingLog } from './recording-log.ts';
import { TestClient } from './test-client.ts';
import type { Settings } from './test-server.ts';

/** What a federated server may have that is not as usual. */
export interface FederatedServerOptions {
  readonly start?: 'starttls' | 'direct';
  /** Keys of `s2s`. */
  readonly settings?: Settings['s2s'];
  /** Further domains, and the ports of their servers. */
  readonly others?: ReadonlyMap<string, number>;
  readonly clock?: Clock;
  /** Keys of `amp`, by domain. */
  readonly amp?: Readonly<Record<string, Settings['amp']>>;
  /** The components of each domain's server; others find them there. */
  readonly components?: Readonly<Record<string, NonNullable<Settings['components']>>>;
  /** Keys of `limits`. */
  readonly limits?: Settings['limits'];
  /** Whether it serves HTTP. */
  readonly http?: boolean;
  /** Further keys of the configuration. */
  readonly more?: Settings;
}

/** Where each domain's server is. */
type Neighborhood = ReadonlyMap<string, number>;

/** One Ampere among others, on loopback, with a development authority of its own. */
export class FederatedServer {
  readonly domain: string;
  readonly log = new RecordingLog();
  readonly directory: string;
  #options: FederatedServerOptions;
  readonly #neighbors: Neighborhood;
  readonly #trustedFile: string;
  #server!: Server;

  private constructor(domain: string, directory: string, neighbors: Neighborhood, options: FederatedServerOptions) {
    this.domain = domain;
    this.directory = directory;
    this.#neighbors = neighbors;
    this.#options = options;
    this.#trustedFile = join(directory, 'trusted.pem');
  }

  /** Servers for the domains; with certificates they trust each other's. */
  static async startAll(
    domains: readonly string[],
    by: 'certificate' | 'dialback',
    options: FederatedServerOptions = {},
  ): Promise<FederatedServer[]> {
    const neighbors = new Map<string, number>(options.others);
    for (const domain of domains) {
      const port = await freePort();
      for (const name of [domain, `conference.${domain}`]) neighbors.set(name, port);
    }
    for (const [domain, components] of Object.entries(options.components ?? {})) {
      for (const name of Object.keys(components)) neighbors.set(name, neighbors.get(domain) ?? 0);
    }
    const directories = await Promise.all(domains.map(() => mkdtemp(join(tmpdir(), 'ampere-federation-'))));
    const servers = domains.map(
      (domain, index) => new FederatedServer(domain, directories[index] ?? '', neighbors, options),
    );
    const authorities = await Promise.all(servers.map((server) => server.#authority()));
    for (const [index, server] of servers.entries()) {
      const trusted = by === 'certificate' ? authorities.join('') : (authorities[index] ?? '');
      await writeFile(server.#trustedFile, trusted);
      await server.start();
    }
    return servers;
  }

  async #authority(): Promise<string> {
    const authority = new DevelopmentAuthority(join(this.directory, 'tls'), Date.now());
    await authority.certificates([this.domain]);
    return readFile(authority.certificateFile, 'utf8');
  }

  get port(): number {
    return this.#neighbors.get(this.domain) ?? 0;
  }

  /** The authority of its certificate. */
  get authorityFile(): string {
    return join(this.directory, 'tls/development-ca.pem');
  }

  /** Where components connect. */
  get components(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.#server.addresses.components[0]?.port ?? 0 };
  }

  /** The port of HTTP without TLS. */
  get httpPort(): number {
    return this.#server.addresses.http[0]?.port ?? 0;
  }

  get administration(): Server['administration'] {
    return this.#server.administration;
  }

  async start(): Promise<void> {
    const { clock } = this.#options;
    const reloadConfig = () => this.#config();
    this.#server = await startServer(this.#config(), { log: this.log, reloadConfig, ...(clock && { clock }) });
  }

  /** Reads its configuration again, where these options have changed. */
  async reloads(changes: FederatedServerOptions): Promise<void> {
    this.#options = { ...this.#options, ...changes };
    await this.#server.reload();
  }

  #config(): Config {
    const {
      start = 'starttls',
      settings,
      amp = {},
      components = {},
      limits = { disabled: true },
      http = false,
      more,
    } = this.#options;
    const listen = [{ host: '127.0.0.1', port: this.port }];
    return configSchema({ directory: this.directory, environment: {} }).parse({
      domains: [this.domain],
      dataDir: '.',
      listen: {
        http: http ? [{ host: '127.0.0.1', port: 0 }] : [],
        https: [],
        proxy: [],
        c2s: [{ host: '127.0.0.1', port: 0 }],
        c2sTls: [],
        components: [{ host: '127.0.0.1', port: 0 }],
        s2s: start === 'starttls' ? listen : [],
        s2sTls: start === 'direct' ? listen : [],
      },
      authentication: { scramIterations: 4096 },
      storage: { quickCheck: false },
      limits,
      amp: amp[this.domain],
      components: components[this.domain],
      s2s: { overrides: this.#overrides(start), trustedAuthorities: this.#trustedFile, ...settings },
      ...more,
    });
  }

  #overrides(tls: 'starttls' | 'direct') {
    return Object.fromEntries(
      Array.from(this.#neighbors, ([name, port]) => [name, [{ host: '127.0.0.1', port, tls }]]),
    );
  }

  /** A client of a new account. */
  async arrives(name: string, presence: string | false = '<presence/>'): Promise<TestClient> {
    await this.administration.call(addUser, { jid: `${name}@${this.domain}`, password: 'pw' });
    return this.logsIn(name, presence);
  }

  /** A client that can authenticate. */
  async connects(): Promise<TestClient> {
    const [c2s] = this.#server.addresses.c2s;
    const client = await TestClient.connect({ host: '127.0.0.1', port: c2s?.port ?? 0 }, this.domain);
    await client.opens();
    await client.startsTls({ ca: await readFile(this.#server.developmentAuthority ?? '') });
    await client.opens();
    return client;
  }

  async logsIn(name: string, presence: string | false = '<presence/>'): Promise<TestClient> {
    const client = await this.connects();
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
    await rm(this.directory, { recursive: true, force: true });
    const { alarms } = this.log;
    if (alarms.length > 0) throw new Error(`${this.domain} logged errors:\n${alarms.join('\n')}`);
  }
}
