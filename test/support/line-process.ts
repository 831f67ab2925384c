import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** How long a test waits for one thing to happen before it calls it a failure. */
export const patienceMs = 60_000;

/** A child process that is read line by line; all it said is kept for the report of a failed test. */
export class LineProcess {
  readonly lines: string[] = [];
  readonly complaints: string[] = [];
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  readonly #closed: Promise<void>;

  constructor(name: string, file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#name = name;
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#closed = this.#watchClose();
    this.#collect(this.#child.stdout, this.lines);
    this.#collect(this.#child.stderr, this.complaints);
    // A client that has already gone closes its end: what the test then misses says more than EPIPE would.
    this.#child.stdin?.on('error', () => {});
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** The exit code; null while it runs, or when a signal ended it. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** What it said last; complaints come behind the rest. */
  get said(): string {
    const said = [...this.lines.slice(-60), ...this.complaints.slice(-60).map((line) => `! ${line}`)];
    return said.join('\n') || '(nothing)';
  }

  /** Writes one line to its standard input. */
  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Resolves with what `pick` finds, asked again after every new line; rejects at the deadline or when the process has ended. */
  async waitFor<T>(what: string, pick: () => T | undefined, timeoutMs = patienceMs): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = (): void => {
      const found = pick();
      if (found !== undefined) resolve(found);
    };
    const deadline = setTimeout(() => reject(this.#failure(`no ${what} within ${timeoutMs} ms`)), timeoutMs);
    this.#watchers.add(look);
    void this.#closed.then(() => reject(this.#failure(`ended with ${this.#ending()} before ${what}`)));
    try {
      look();
      return await promise;
    } finally {
      clearTimeout(deadline);
      this.#watchers.delete(look);
    }
  }

  /** Waits for the process to end by itself and gives its exit code; kills it at the deadline and rejects. */
  async end(timeoutMs = patienceMs): Promise<number | null> {
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      this.#child.kill('SIGKILL');
    }, timeoutMs);
    await this.#closed;
    clearTimeout(deadline);
    if (late) throw this.#failure(`still running after ${timeoutMs} ms`);
    return this.#child.exitCode;
  }

  /** Sends a signal. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async #watchClose(): Promise<void> {
    try {
      await once(this.#child, 'close');
    } catch (error) {
      this.complaints.push(String(error));
    }
  }

  #collect(stream: NodeJS.ReadableStream | null, into: string[]): void {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      into.push(line);
      for (const look of this.#watchers) look();
    });
  }

  #ending(): string {
    return this.#child.signalCode ?? `exit code ${this.#child.exitCode}`;
  }

  #failure(text: string): Error {
    return new Error(`${this.#name}: ${text}; it said:\n${this.said}`);
  }
}
