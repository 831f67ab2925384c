import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { LineProcess } from './line-process.ts';
import { referenceProsody } from './reference-prosody.ts';

const run = promisify(execFile);
const launcher = join(import.meta.dirname, '../../bin/ampere.js');

/** What a test asks of the server it starts. */
export interface ServerOptions {
  /** Domains served; the first is the one clients of the test use. */
  readonly domains?: readonly string[];
  /** SASL mechanisms offered; the server's default when absent. */
  readonly mechanisms?: readonly string[];
  /** Listens for HTTPS, too. */
  readonly https?: boolean;
  /** Further top-level keys of the configuration file; those of `listen` are added to the usual ones. */
  readonly settings?: Readonly<Record<string, unknown>> & { readonly listen?: Readonly<Record<string, unknown>> };
}

/** The place a server instance was given: addresses and a directory of its own. */
export interface ServerPlace {
  readonly directory: string;
  readonly domains: readonly string[];
  readonly host: string;
  readonly ports: { readonly starttls: number; readonly direct: number; readonly https: number };
}

/** What differs between the server under test and a reference server that runs the same tests. */
export interface ServerKind {
  readonly caFile: string;
  /** The command that runs the server in the foreground. */
  readonly start: readonly [string, ...string[]];
  /** The command that adds an account. */
  addUser(local: string, domain: string, password: string): readonly [string, ...string[]];
  /** True once the server accepts clients. */
  ready(logLines: readonly string[]): boolean;
  /** True for a log line that no healthy server writes. */
  alarming(logLine: string): boolean;
}

/** A real server in its own process, on free ports of 127.0.0.1, with a temporary data directory. */
export class ServerProcess {
  readonly place: ServerPlace;
  /** The certificate authority that clients must trust. */
  readonly caFile: string;
  /** What must never appear in the log. */
  readonly secrets = new Set<string>();
  readonly #kind: ServerKind;
  readonly #log: string[] = [];
  #process: LineProcess;

  private constructor(place: ServerPlace, kind: ServerKind) {
    this.place = place;
    this.caFile = kind.caFile;
    this.#kind = kind;
    this.#process = this.#spawn();
  }

  /** Starts a server of this kind and waits until it accepts clients. */
  static async start(place: ServerPlace, kind: ServerKind): Promise<ServerProcess> {
    const server = new ServerProcess(place, kind);
    try {
      await server.#untilReady();
      return server;
    } catch (error) {
      await rm(place.directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Runs the command line of the same server; returns what that says. */
  async ampere(...args: readonly string[]): Promise<string> {
    const config = join(this.place.directory, 'server.json');
    return (await run(process.execPath, [launcher, ...args, '--config', config])).stdout;
  }

  /** The first of its domains. */
  get domain(): string {
    return this.place.domains[0] ?? 'localhost';
  }

  /** Every line the server has logged, over all its restarts. */
  get log(): readonly string[] {
    return [...this.#log, ...this.#process.lines, ...this.#process.complaints];
  }

  /** Adds an account with the server's own command-line tool. */
  async addUser(jid: string, password: string): Promise<void> {
    const [local = '', domain = ''] = jid.split('@');
    this.secrets.add(password).add(Buffer.from(`\0${local}\0${password}`).toString('base64'));
    const [file, ...args] = this.#kind.addUser(local, domain, password);
    await run(file, args);
  }

  /** Stops the server as an operator would and starts it again with the same data. */
  async restart(): Promise<void> {
    await this.#terminate();
    this.#log.push(...this.#process.lines, ...this.#process.complaints);
    this.#process = this.#spawn();
    await this.#untilReady();
  }

  /** Stops the server; rejects if it did not exit with 0, logged an error, or logged a secret. */
  async stop(): Promise<void> {
    try {
      await this.#terminate();
      this.#checkLog();
    } finally {
      await rm(this.place.directory, { recursive: true, force: true });
    }
  }

  #spawn(): LineProcess {
    const [file, ...args] = this.#kind.start;
    return new LineProcess('server', file, args);
  }

  async #untilReady(): Promise<void> {
    try {
      await this.#process.waitFor('ready line', () => this.#kind.ready(this.#process.lines) || undefined);
    } catch (error) {
      this.#process.kill('SIGKILL');
      throw error;
    }
  }

  async #terminate(): Promise<void> {
    this.#process.kill('SIGTERM');
    const exitCode = await this.#process.end();
    if (exitCode !== 0)
      throw new Error(`the server ended with ${exitCode} after SIGTERM:\n${this.log.slice(-30).join('\n')}`);
  }

  #checkLog(): void {
    const alarming = this.log.filter((line) => this.#kind.alarming(line));
    if (alarming.length > 0) throw new Error(`the server logged errors:\n${alarming.join('\n')}`);
    const leaking = this.log.filter((line) => [...this.secrets].some((secret) => line.includes(secret)));
    if (leaking.length > 0) throw new Error(`the server logged a secret:\n${leaking.join('\n')}`);
  }
}

/** Starts the server under test, or the reference server when `AMPERE_TEST_SERVER=prosody`. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const place: ServerPlace = {
    directory: await mkdtemp(join(tmpdir(), 'ampere-server-')),
    domains: options.domains ?? ['localhost'],
    host: '127.0.0.1',
    ports: { starttls: await freePort(), direct: await freePort(), https: await freePort() },
  };
  const { AMPERE_TEST_SERVER: wanted } = process.env;
  const kind = wanted === 'prosody' ? referenceProsody : ampere;
  return ServerProcess.start(place, await kind(place, options));
}

async function ampere(place: ServerPlace, options: ServerOptions): Promise<ServerKind> {
  const config = join(place.directory, 'server.json');
  const dataDir = join(place.directory, 'data');
  await writeFile(config, JSON.stringify(ampereSettings(place, dataDir, options), undefined, 2));
  const command = [process.execPath, launcher] as const;
  return {
    caFile: join(dataDir, 'tls/development-ca.pem'),
    start: [...command, 'start', '--config', config],
    addUser: (local, domain, password) => [
      ...command,
      ...['user', 'add', `${local}@${domain}`, '--password', password, '--config', config],
    ],
    ready: (lines) => lines.some((line) => line.includes('"msg":"ready"')),
    alarming: (line) => /"level":[56]0\b/.test(line) || !line.startsWith('{'),
  };
}

function ampereSettings(place: ServerPlace, dataDir: string, options: ServerOptions): Record<string, unknown> {
  const { host, ports } = place;
  const { listen, ...others } = options.settings ?? {};
  const https = options.https && { https: [{ host, port: ports.https }] };
  return {
    domains: place.domains,
    dataDir,
    listen: {
      c2s: [{ host, port: ports.starttls }],
      c2sTls: [{ host, port: ports.direct }],
      http: [],
      https: [],
      proxy: [],
      ...https,
      ...listen,
    },
    s2s: { enabled: false },
    edges: Number(process.env['AMPERE_EDGES'] ?? 0),
    ...(options.mechanisms && { authentication: { mechanisms: options.mechanisms } }),
    ...others,
  };
}
