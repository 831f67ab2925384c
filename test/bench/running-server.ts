import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { domain } from './accounts.ts';
import type { Case } from './cases.ts';
import { coresOf, onCores } from './cores.ts';
import { endWithUs } from './end-with-us.ts';
import type { Place } from './place.ts';
import type { BenchServer } from './servers/bench-server.ts';

const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;
const pollMs = 2;
/** The unit of times in /proc. */
const ticksPerSecond = 100;
const header = `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;

/** A server process on its cores, until it is disposed of. */
export class RunningServer implements AsyncDisposable {
  readonly place: Place;
  /** From the start of the process until a stream was answered. */
  readonly startSeconds: number;
  readonly #process: ChildProcess;

  private constructor(place: Place, process: ChildProcess, startSeconds: number) {
    this.place = place;
    this.#process = process;
    this.startSeconds = startSeconds;
  }

  /** Starts the server and waits until it serves. */
  static async start(
    server: BenchServer,
    place: Place,
    { cores, archive = false, rooms = false, webSocket = false }: Case,
  ): Promise<RunningServer> {
    const { server: own } = coresOf[cores];
    const { command, environment } = await server.launch(place, { cores: own.length, archive, rooms, webSocket });
    const [file, args] = onCores(own, command);
    const log = join(place.directory, `${server.name}.out`);
    const output = openSync(log, 'w');
    const beganMs = performance.now();
    const child = spawn(file, args, { stdio: ['ignore', output, output], env: { ...process.env, ...environment } });
    closeSync(output);
    endWithUs(child);
    try {
      await untilServing(child, server, place, log);
    } catch (error) {
      await end(child);
      throw error;
    }
    return new RunningServer(place, child, (performance.now() - beganMs) / 1000);
  }

  /** The process that serves; what `onCores` put before it has become it. */
  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error('the server has no process');
    return pid;
  }

  /** Resident memory at the moment. */
  get rssKb(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]);
  }

  /** User and system time since the start. */
  get cpuSeconds(): number {
    const [, fields = ''] = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ');
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return ((user ?? 0) + (system ?? 0)) / ticksPerSecond;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#process);
  }
}

async function untilServing(child: ChildProcess, server: BenchServer, { ports }: Place, log: string): Promise<void> {
  const deadlineMs = performance.now() + startTimeoutMs;
  while (!(await serves(ports.plain, server.raw ? undefined : '</stream:features>'))) {
    const over = child.exitCode !== null || child.signalCode !== null || performance.now() > deadlineMs;
    if (over) throw new Error(`${server.title} did not start: ${readFileSync(log, 'utf8').slice(-1000)}`);
    await sleep(pollMs);
  }
}

/** Whether the port accepts a connection, and the answer to a stream header contains `awaited`. */
function serves(port: number, awaited: string | undefined): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: '127.0.0.1', port });
  let answer = '';
  socket.on('connect', () => (awaited === undefined ? settle(true) : socket.write(header)));
  socket.on('data', (bytes) => {
    answer += bytes.toString();
    if (awaited !== undefined && answer.includes(awaited)) settle(true);
  });
  socket.on('error', () => settle(false));
  socket.on('close', () => settle(false));
  const settle = (ready: boolean) => {
    resolve(ready);
    socket.destroy();
  };
  return promise;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const hurry = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(hurry);
}
