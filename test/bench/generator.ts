import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { domain, password } from './accounts.ts';
import { type CoreUse, coresOf, onCores } from './cores.ts';
import { endWithUs } from './end-with-us.ts';
import type { Place } from './place.ts';
import type { Workplace } from './workplace.ts';

const run = promisify(execFile);
const sources = join(import.meta.dirname, 'generator');
const longestRunMs = 600_000;

/** What the generator prints; times in the unit their name says. */
export interface GeneratorReport {
  readonly tls: string;
  readonly seconds: number;
  readonly operations: number;
  readonly changes: number;
  readonly rampSeconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly serverUserSeconds: number;
  readonly serverSystemSeconds: number;
  readonly generatorCpuSeconds: number;
  readonly otherCpuSeconds: number;
  readonly connections?: number;
  readonly rssBeforeKb?: number;
  readonly rssAfterKb?: number;
  readonly flushPerSecond?: number;
  readonly aloneP99Us?: number;
  readonly joinP99Us?: number;
  readonly joinSeconds?: number;
  readonly leaveP99Us?: number;
  readonly leaveSeconds?: number;
  readonly lost: number;
  readonly misordered: number;
  readonly misaddressed: number;
  readonly truncated: number;
  readonly refused: number;
  readonly overflow: number;
  readonly connectErrors: number;
  readonly ioErrors: number;
}

/** A server that runs. */
interface DrivenServer {
  readonly place: Pick<Place, 'ports'>;
  readonly pid: number;
}

/** What the generator is to do. */
export interface Order {
  readonly scenario: string;
  readonly tls: boolean;
  readonly webSocket: boolean;
  readonly raw: boolean;
  readonly cores: CoreUse;
  readonly settings: Readonly<Record<string, number | string>>;
  /** Where SCRAM keys are kept between runs. */
  readonly keys: string;
}

/** The load generator, compiled. */
export class Generator {
  readonly #binary: string;

  private constructor(binary: string) {
    this.#binary = binary;
  }

  static async build(workplace: Workplace): Promise<Generator> {
    const binary = workplace.kept('xload');
    const files = (await readdir(sources)).filter((name) => name.endsWith('.c')).map((name) => join(sources, name));
    const flags = ['-O2', '-flto', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror'];
    await run('gcc', [...flags, '-o', binary, ...files, '-lssl', '-lcrypto']);
    return new Generator(binary);
  }

  /** Drives the server; rejects if it could not be driven to the end. */
  async drive(server: DrivenServer, order: Order): Promise<GeneratorReport> {
    const { scenario, tls, webSocket, raw, cores, settings, keys } = order;
    const { ports } = server.place;
    const streams = tls ? ports.tls : ports.plain;
    const all = {
      port: webSocket ? ports.https : streams,
      domain,
      password,
      pid: server.pid,
      'key-cache': keys,
      ...settings,
    };
    const flags = [...(tls ? ['--tls'] : []), ...(webSocket ? ['--websocket'] : []), ...(raw ? ['--raw'] : [])];
    const values = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const [file, args] = onCores(coresOf[cores].generator, [this.#binary, scenario, ...flags, ...values]);
    const running = run(file, args, { timeout: longestRunMs });
    endWithUs(running.child);
    const { stdout } = await running;
    return JSON.parse(stdout);
  }
}
