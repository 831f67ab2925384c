import { statSync } from 'node:fs';
import type { Context } from './context.ts';

/** Milliseconds between two lines of progress: on a terminal, where each replaces the one before, and elsewhere. */
const [terminalMs, otherMs] = [200, 10_000];

/** Says on the error output how far a command has come, if it takes long. */
export class Progress {
  readonly #output: Context['stderr'];
  readonly #whole: string;
  readonly #unit: number;
  #saidAtMs = performance.now();
  #done = 0;
  #hasLine = false;

  /** `whole` is what there is to do, such as `of 1000 accounts`. What is done is said in units of so many steps. */
  constructor({ stderr }: Pick<Context, 'stderr'>, whole: string, unit = 1) {
    this.#output = stderr;
    this.#whole = whole;
    this.#unit = unit;
  }

  /** One more is done, or so many more. */
  step(more = 1): void {
    this.#done += more;
    const nowMs = performance.now();
    const isTerminal = this.#output.isTTY === true;
    if (nowMs - this.#saidAtMs < (isTerminal ? terminalMs : otherMs)) return;
    this.#saidAtMs = nowMs;
    this.#hasLine = isTerminal;
    const text = `${Math.floor(this.#done / this.#unit)} ${this.#whole}`;
    this.#output.write(isTerminal ? `\r${text}\x1b[K` : `${text}\n`);
  }

  /** Clears the line of a terminal. */
  end(): void {
    if (this.#hasLine) this.#output.write('\r\x1b[K');
    this.#hasLine = false;
  }
}

/** Says how large a copy is that a server or a thread writes. */
export class CopyProgress {
  readonly #progress: Progress;
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  constructor(context: Pick<Context, 'stderr'>, file: string) {
    this.#progress = new Progress(context, 'MiB copied', 2 ** 20);
    this.#timer = setInterval(() => this.#look(file), terminalMs);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#progress.end();
  }

  #look(file: string): void {
    const bytes = Math.max(this.#bytes, sizeOf(file));
    this.#progress.step(bytes - this.#bytes);
    this.#bytes = bytes;
  }
}

/** The size of a file; 0 if it cannot be seen. */
function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** Does long work, which says how far it is and may end early when Ctrl-C aborts the signal. A second Ctrl-C ends the process at once. */
export async function withProgress<T>(progress: Progress, work: (interrupted: AbortSignal) => Promise<T>): Promise<T> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.once('SIGINT', interrupt);
  try {
    return await work(interruption.signal);
  } finally {
    process.off('SIGINT', interrupt);
    progress.end();
  }
}
