import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { LineProcess } from '../support/line-process.ts';
import type { Settings } from '../support/test-server.ts';

const program = fileURLToPath(new URL('./server-program.ts', import.meta.url));
const startTimeoutMs = 60_000;

/** How a victim is started. */
export interface VictimOptions {
  /** Where its data is; in the directory of the scene unless given. */
  readonly dataDir?: string;
  readonly settings?: Settings;
  /** The most files it may have open. */
  readonly openFiles?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** What a server has and has used, after a collection of garbage. */
export interface Figures {
  /** What JavaScript holds: the heap, and the buffers outside of it. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  /** Sockets, pipes and the like that keep the event loop busy. */
  readonly handles: number;
  readonly cpuMs: number;
  readonly atMs: number;
  /** Turns of the event loop. */
  readonly loops: number;
  /** The longest that one of them took since the last figures: nobody is served meanwhile. */
  readonly longestTurnMs: number;
}

/** The data directory of servers that are maltreated. Made inside a `describe`. */
export class CrimeScene {
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

  /** SQLite finds nothing wrong with the database of a server that has ended. */
  expectSoundDatabase(file = join(this.dataDir, 'ampere.db')): void {
    const db = new Database(file, { readonly: true });
    const finding = db.pragma('integrity_check', { simple: true });
    db.close();
    if (finding !== 'ok') throw new Error(`${file} is damaged: ${finding}`);
  }

  /** Starts a server that has these accounts. */
  async start(names: readonly string[], options: VictimOptions = {}): Promise<Victim> {
    const { dataDir = this.dataDir, settings = {}, openFiles, env } = options;
    const node = [process.execPath, program, dataDir, names.join(','), JSON.stringify(settings)];
    const limit = openFiles === undefined ? '' : `ulimit -n ${openFiles} && `;
    const server = new LineProcess('server', 'bash', ['-c', `${limit}exec "$@"`, 'bash', ...node], env);
    this.#running = server;
    const ready = () => server.lines.find((each) => each.startsWith('port '));
    const line = await server.waitFor('its port', ready, startTimeoutMs);
    return new Victim(server, Number(line.slice(5)));
  }
}

/** A server in a process of its own, to be killed, starved and flooded. */
export class Victim {
  readonly port: number;
  readonly #process: LineProcess;
  #measured = 0;

  constructor(running: LineProcess, port: number) {
    this.#process = running;
    this.port = port;
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.kill(signal);
  }

  /** Waits for its end: the exit code, and nothing if a signal has ended it. */
  async end(): Promise<number | null> {
    return this.#process.end();
  }

  /** Stops it in peace, which it must do without a complaint, and without having logged an error or a password. */
  async stop(): Promise<void> {
    this.kill('SIGTERM');
    const code = await this.end();
    const { complaints, lines } = this.#process;
    // All passwords of these tests end alike.
    const alarms = [...complaints, ...lines.filter((line) => /"level":[56]0\b|-password/.test(line))];
    if (code !== 0 || alarms.length > 0) throw new Error(`ended with ${code}: ${alarms.join('\n')}`);
  }

  /** The lines of its log that contain a text; there are warnings among them. */
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

  /** Its figures when it has noticed that connections are gone: when it has no more than it had, or soon in any case. */
  async figuresAtRest(had: Pick<Figures, 'descriptors' | 'handles'>): Promise<Figures> {
    let figures = await this.figures();
    for (let looks = 0; looks < 100; looks++) {
      if (figures.descriptors <= had.descriptors && figures.handles <= had.handles) break;
      figures = await this.figures();
    }
    return figures;
  }

  /** Has it open files until it can open no more. */
  async hoardsDescriptors(): Promise<void> {
    this.#process.write('hoard');
    await this.#process.waitFor('hoard', () => this.#said('hoarded ')[0]);
  }

  yieldsDescriptors(): void {
    this.#process.write('yield');
  }

  #said(word: string): readonly string[] {
    return this.#process.lines.filter((line) => line.startsWith(word)).map((line) => line.slice(word.length));
  }
}

/** Bytes as people read them. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** How long the event loop was busy with one thing, as people read it. */
export function longestTurn({ longestTurnMs }: Figures): string {
  return `the loop busy for ${Math.round(longestTurnMs)} ms at most`;
}
