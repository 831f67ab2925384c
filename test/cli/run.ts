import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runCli } from '../../src/cli/run-cli.ts';

/** How a command ended and what it said. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a command is given besides its arguments. */
export interface Surroundings {
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Keys of server.json. */
type WrittenSettings = { readonly listen?: object } & Readonly<Record<string, unknown>>;

/** A working directory for each test of the surrounding suite, in which commands run in this process. */
export class Workplace {
  directory = '';

  constructor() {
    beforeEach(() => {
      this.directory = mkdtempSync(join(tmpdir(), 'ampere-cli-'));
    });
    afterEach(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  /** A path in this directory. */
  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  /** Writes a file and gives its path. */
  write(name: string, content: string | Buffer): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** Writes server.json, by default one whose passwords are cheap. */
  configure({ listen, ...settings }: WrittenSettings = { authentication: { scramIterations: 4096 } }): void {
    const listeners = { http: [], https: [], proxy: [], ...(listen ?? { c2s: [], c2sTls: [loopback] }) };
    this.write('server.json', JSON.stringify({ s2s: { enabled: false }, ...settings, listen: listeners }));
  }

  /** Runs one command here. */
  async run(args: readonly string[], { stdin = '', environment = {} }: Surroundings = {}): Promise<Outcome> {
    const out: string[] = [];
    const err: string[] = [];
    const input = new PassThrough();
    input.end(stdin);
    const code = await runCli(args, {
      stdin: input,
      stdout: { write: (text) => void out.push(text) },
      stderr: { write: (text) => void err.push(text) },
      environment,
      directory: this.directory,
    });
    return { code, out: out.join(''), err: err.join('') };
  }

  /** Runs a command that must succeed, and gives what it wrote. */
  async done(...args: string[]): Promise<string> {
    const { code, out, err } = await this.run(args);
    if (code !== 0) throw new Error(`ampere ${args.join(' ')} ended with ${code}: ${err}`);
    return out;
  }
}

/** A listener on a port of the system's choice. */
export const loopback = { host: '127.0.0.1', port: 0 };
