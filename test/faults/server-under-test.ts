import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { LineProcess } from '../support/line-process.ts';
import type { Settings } from '../support/test-server.ts';

const program = fileURLToPath(new URL('./server-program.ts', import.meta.url));
const startTimeoutMs = 60_000;
/** Where servers keep their compiled modules: tests that kill a server start it again and again. */
const compiledModules = join(tmpdir(), 'ampere-test-modules');

/** Options for starting a server. */
export interface ServerOptions {
  /** Its data directory. By default that of the fixture. */
  readonly dataDir?: string;
  readonly settings?: Settings;
  /** Its limit of open files. */
  readonly openFiles?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** The resources a server uses, after garbage collection. */
export interface Figures {
  /** The JavaScript heap and the buffers outside of it. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  /** Sockets, pipes and other handles of the event loop. */
  readonly handles: number;
  readonly cpuMs: number;
  readonly atMs: number;
  /** Turns of the event loop. */
  readonly loops: number;
  /** The longest of them since the last figures, in which no other client is served. */
  readonly longestTurnMs: number;
}

/** Starts servers on one data directory, and removes it after each test. Made inside a `describe`. */
export class ServerFixture {
  dataDir = '';
  #running: LineProcess | undefined;

  constructor() {
    beforeEach(async () => {
      this.dataDir = await mkdtemp(join(tmpdir(), 'ampere-kill-'));
    });
    afterEach(async () => {
      this.#running?.kill('SIGKILL');
      await this.#running?.end();
      await rm(this.dataDir, { recursive: true, force: true });
    });
  }

  /** The certificate authority that clients can trust. */
  get authority(): string {
    return join(this.dataDir, 'tls/development-ca.pem');
  }

  /** Throws unless SQLite finds the database of a stopped server intact. */
  expectSoundDatabase(file = join(this.dataDir, 'ampere.db')): void {
    const db = new Database(file, { readonly: true });
    const finding = db.pragma('integrity_check', { simple: true });
    db.close();
    if (finding !== 'ok') throw new Error(`${file} is damaged: ${finding}`);
  }

  /** Starts a server with these accounts. */
  async start(names: readonly string[], options: ServerOptions = {}): Promise<ServerUnderTest> {
    const { dataDir = this.dataDir, settings = {}, openFiles } = options;
    const env = { NODE_COMPILE_CACHE: compiledModules, ...options.env };
    const node = [process.execPath, program, dataDir, names.join(','), JSON.stringify(settings)];
    const limit = openFiles === undefined ? '' : `ulimit -n ${openFiles} && `;
    const server = new LineProcess('server', 'bash', ['-c', `${limit}exec "$@"`, 'bash', ...node], env);
    this.#running = server;
    const ready = () => server.lines.find((each) => each.startsWith('port '));
    const line = await server.waitFor('its port', ready, startTimeoutMs);
    const http = server.lines.find((each) => each.startsWith('http '));
    return new ServerUnderTest(server, Number(line.slice(5)), Number(http?.slice(5)));
  }
}

/** A server in its own process, which tests kill, flood, or run out of resources. */
export class ServerUnderTest {
  readonly port: number;
  /** NaN if it serves no HTTP. */
  readonly httpPort: number;
  readonly #process: LineProcess;
  #measured = 0;

  constructor(running: LineProcess, port: number, httpPort: number) {
    this.#process = running;
    this.port = port;
    this.httpPort = httpPort;
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.kill(signal);
  }

  /** Waits for its end. Resolves with the exit code, null if a signal ended it. */
  async end(): Promise<number | null> {
    return this.#process.end();
  }

  /** Stops it. Throws if it wrote to stderr, or logged an error or a password. */
  async stop(): Promise<void> {
    this.kill('SIGTERM');
    const code = await this.end();
    const { complaints, lines } = this.#process;
    // All passwords of these tests have the same ending.
    const alarms = [...complaints, ...lines.filter((line) => /"level":[56]0\b|-password/.test(line))];
    if (code !== 0 || alarms.length > 0) throw new Error(`ended with ${code}: ${alarms.join('\n')}`);
  }

  /** The lines of its log, warnings included, that contain a text. */
  logged(text: string): readonly string[] {
    return this.#process.lines.filter((line) => line.startsWith('{') && line.includes(text));
  }

  /** Resolves when its log contains a text. */
  async logs(text: string): Promise<void> {
    await this.#process.waitFor(`"${text}" in the log`, () => this.logged(text)[0]);
  }

  async figures(): Promise<Figures> {
    this.#process.write('measure');
    this.#measured += 1;
    const line = await this.#process.waitFor('figures', () => this.#said('figures ')[this.#measured - 1], 60_000);
    return JSON.parse(line) as Figures;
  }

  /** Its figures once it has released closed connections: when it has no more than before, or after a bounded number of tries. */
  async figuresAtRest(had: Pick<Figures, 'descriptors' | 'handles'>): Promise<Figures> {
    let figures = await this.figures();
    for (let looks = 0; looks < 100; looks++) {
      if (figures.descriptors <= had.descriptors && figures.handles <= had.handles) break;
      figures = await this.figures();
    }
    return figures;
  }

  /** Makes it open files until it has no descriptors left. */
  async exhaustsDescriptors(): Promise<void> {
    this.#process.write('exhaust');
    await this.#process.waitFor('exhausted', () => this.#said('exhausted ')[0]);
  }

  releasesDescriptors(): void {
    this.#process.write('release');
  }

  #said(word: string): readonly string[] {
    return this.#process.lines.filter((line) => line.startsWith(word)).map((line) => line.slice(word.length));
  }
}

/** Formats bytes for the output of tests. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Formats the longest turn of the event loop for the output of tests. */
export function longestTurn({ longestTurnMs }: Figures): string {
  return `the loop busy for ${Math.round(longestTurnMs)} ms at most`;
}
