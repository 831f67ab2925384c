import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { LineProcess } from '../support/line-process.ts';

const program = fileURLToPath(new URL('./server-program.ts', import.meta.url));

/** The data directory of servers that are killed. Made inside a `describe`. */
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

  /** SQLite finds nothing wrong with the database of a server that has ended. */
  expectSoundDatabase(file = join(this.dataDir, 'ampere.db')): void {
    const db = new Database(file, { readonly: true });
    const finding = db.pragma('integrity_check', { simple: true });
    db.close();
    if (finding !== 'ok') throw new Error(`${file} is damaged: ${finding}`);
  }

  /** Starts a server that has these accounts. */
  async start(names: readonly string[], dataDir = this.dataDir): Promise<Victim> {
    const server = new LineProcess('server', process.execPath, [program, dataDir, names.join(',')]);
    this.#running = server;
    const line = await server.waitFor('its port', () => server.lines.find((each) => each.startsWith('port ')));
    return new Victim(server, Number(line.slice(5)));
  }
}

/** A server in a process of its own, to be killed. */
export class Victim {
  readonly port: number;
  readonly #process: LineProcess;

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

  /** Stops it in peace, which it must do without a complaint. */
  async stop(): Promise<void> {
    this.kill('SIGTERM');
    const code = await this.end();
    const { complaints } = this.#process;
    if (code !== 0 || complaints.length > 0) throw new Error(`ended with ${code}: ${complaints.join('\n')}`);
  }
}
