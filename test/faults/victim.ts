import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

  /** Starts a server that has these accounts. */
  async start(names: readonly string[]): Promise<Victim> {
    const process_ = new LineProcess('server', process.execPath, [program, this.dataDir, names.join(',')]);
    this.#running = process_;
    const line = await process_.waitFor('its port', () => process_.lines.find((each) => each.startsWith('port ')));
    return new Victim(process_, Number(line.slice(5)));
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
