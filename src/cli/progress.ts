import type { Context } from './context.ts';

/** Milliseconds between two lines of progress: on a terminal, where each replaces the one before, and elsewhere. */
const [terminalMs, otherMs] = [200, 10_000];

/** Says on the error output how far a command has come, if it takes long. */
export class Progress {
  readonly #output: Context['stderr'];
  readonly #whole: string;
  #saidAtMs = performance.now();
  #done = 0;
  #hasLine = false;

  /** `whole` is what there is to do, such as `of 1000 accounts`. */
  constructor({ stderr }: Pick<Context, 'stderr'>, whole: string) {
    this.#output = stderr;
    this.#whole = whole;
  }

  /** One more is done. */
  step(): void {
    this.#done += 1;
    const nowMs = performance.now();
    const isTerminal = this.#output.isTTY === true;
    if (nowMs - this.#saidAtMs < (isTerminal ? terminalMs : otherMs)) return;
    this.#saidAtMs = nowMs;
    this.#hasLine = isTerminal;
    this.#output.write(isTerminal ? `\r${this.#done} ${this.#whole}\x1b[K` : `${this.#done} ${this.#whole}\n`);
  }

  /** Clears the line of a terminal. */
  end(): void {
    if (this.#hasLine) this.#output.write('\r\x1b[K');
    this.#hasLine = false;
  }
}
