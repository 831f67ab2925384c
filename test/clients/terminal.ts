import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { patienceMs } from '../support/line-process.ts';

const run = promisify(execFile);

/** A terminal of its own (a private tmux server) in which one full-screen program runs. */
export class Terminal implements AsyncDisposable {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Opens it with a command and the only environment the command shall see. */
  static async open(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Terminal> {
    const terminal = new Terminal(`ampere-test-${randomUUID()}`);
    const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    await terminal.#tmux(
      ...['-f', '/dev/null', 'new-session', '-d', '-x', '150', '-y', '50'],
      ...['env', '-i', 'TERM=screen', 'LC_ALL=C.UTF-8', ...settings, ...command],
    );
    return terminal;
  }

  /** Types a line and presses Enter. */
  async type(line: string): Promise<void> {
    await this.write(line);
    await this.press('Enter');
  }

  /** Types text without Enter. */
  async write(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
  }

  /** Presses a key that has this name in tmux. */
  async press(key: string): Promise<void> {
    await this.#tmux('send-keys', key);
  }

  /** Waits until the screen shows a text; rejects with the whole screen at the deadline. */
  async shows(text: string): Promise<void> {
    await this.#until(`no "${text}"`, (screen) => screen.includes(text));
  }

  /** Types a line every two seconds until another terminal shows a text: the program may not be ready for the line at first. */
  async repeats(line: string, other: Terminal, text: string): Promise<void> {
    const deadlineMs = performance.now() + patienceMs;
    do {
      await this.type(line);
      if (
        await other
          .#until(`no "${text}"`, (screen) => screen.includes(text), 2000)
          .then(
            () => true,
            () => false,
          )
      )
        return;
    } while (performance.now() < deadlineMs);
    await other.shows(text);
  }

  /** Waits until the screen shows a text no more; rejects like `shows`. */
  async clears(text: string): Promise<void> {
    await this.#until(`still "${text}"`, (screen) => !screen.includes(text));
  }

  async #until(otherwise: string, accepts: (screen: string) => boolean, waitMs = patienceMs): Promise<void> {
    const deadlineMs = performance.now() + waitMs;
    let screen = '';
    do {
      screen = await this.#tmux('capture-pane', '-p', '-J');
      if (accepts(screen)) return;
      await delay(50);
    } while (performance.now() < deadlineMs);
    throw new Error(`${otherwise} on the screen after ${waitMs} ms:\n${screen}`);
  }

  /** Ends the program. Some programs ignore the loss of their terminal and would keep running. */
  async [Symbol.asyncDispose](): Promise<void> {
    const leader = Number(await this.#tmux('list-panes', '-F', '#{pane_pid}').catch(() => ''));
    await this.#tmux('kill-server');
    if (leader > 0) killGroup(leader);
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    return (await run('tmux', ['-L', this.#socket, '-u', ...args])).stdout;
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
