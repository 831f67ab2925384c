import { readFileSync } from 'node:fs';
import { LineProcess } from '../support/line-process.ts';
import type { CleanMachine } from './clean-machine.ts';

/** Prints each datagram that comes to a socket. */
const receiver = `import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o777); print("bound")
while True: print(s.recv(4096).decode().strip())`;

/** A service as its unit describes it, in the place of systemd: the command, the user, the environment, the state directory, readiness, reload and end. */
export class UnitService {
  readonly #machine: CleanMachine;
  readonly #settings: ReadonlyMap<string, readonly string[]>;
  readonly #socket: string;
  #receiver: LineProcess | undefined;
  #process: LineProcess | undefined;

  constructor(machine: CleanMachine, unit: string) {
    this.#machine = machine;
    this.#settings = settingsIn(readFileSync(machine.path(`/etc/systemd/system/${unit}`), 'utf8'));
    this.#socket = machine.path('/run/notify');
  }

  /** Starts it, and waits until it says that it is ready. */
  async start(): Promise<void> {
    this.#receiver ??= await this.#listens();
    const said = this.#told.length;
    const state = this.#one('StateDirectory');
    this.#machine.makeDirectory(`/var/lib/${state}`, Number.parseInt(this.#one('StateDirectoryMode'), 8));
    const environment = Object.fromEntries((this.#settings.get('Environment') ?? []).map((text) => text.split('=', 2)));
    this.#process = this.#machine.serverProcess(
      state,
      { ...mapped(environment, this.#machine), NOTIFY_SOCKET: this.#socket, WATCHDOG_USEC: '120000000' },
      this.#one('WorkingDirectory'),
      this.#machine.mapped(this.#one('ExecStart')).split(' '),
    );
    await this.#isTold('READY=1', said);
  }

  /** Reloads it, and waits until it is ready again. */
  async reload(): Promise<void> {
    const said = this.#told.length;
    const command = this.#one('ExecReload').replace('$MAINPID', String(this.#running.pid));
    const [file = '', ...args] = command.split(' ');
    await new LineProcess('reload', file, args).end();
    await this.#isTold('RELOADING=1', said);
    await this.#isTold('READY=1', said);
  }

  /** Ends it; resolves with its exit code. */
  async stop(): Promise<number | null> {
    this.#running.kill('SIGTERM');
    return await this.#running.end();
  }

  /** Waits for a line of its log. */
  logs(words: string, after = 0): Promise<string> {
    const { lines } = this.#running;
    return this.#running.waitFor(words, () => lines.slice(after).find((line) => line.includes(words)));
  }

  /** Ends whatever runs. */
  async kill(): Promise<void> {
    for (const one of [this.#process, this.#receiver]) {
      one?.kill('SIGKILL');
      await one?.end();
    }
  }

  get #running(): LineProcess {
    if (!this.#process) throw new Error('the service was not started');
    return this.#process;
  }

  get #told(): readonly string[] {
    return this.#receiver?.lines ?? [];
  }

  async #listens(): Promise<LineProcess> {
    const process = new LineProcess('receiver', 'python3', ['-uc', receiver, this.#socket]);
    await process.waitFor('a bound socket', () => process.lines.find((line) => line === 'bound'));
    return process;
  }

  /** The service has sent a message to systemd. */
  async #isTold(message: string, after: number): Promise<void> {
    try {
      await this.#receiver?.waitFor(message, () => this.#told.slice(after).find((line) => line === message));
    } catch (error) {
      throw new Error(`the service did not say ${message}, but:\n${this.#running.said}`, { cause: error });
    }
  }

  #one(name: string): string {
    const [value] = this.#settings.get(name) ?? [];
    if (value === undefined) throw new Error(`the unit has no ${name}`);
    return value;
  }
}

/** The settings of a unit by their names, without its sections. */
function settingsIn(text: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([A-Z]\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) settings.set(name, [...(settings.get(name) ?? []), value]);
  }
  return settings;
}

function mapped(environment: Readonly<Record<string, string>>, machine: CleanMachine): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, machine.mapped(value)]));
}
