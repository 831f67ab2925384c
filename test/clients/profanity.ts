import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerProcess } from '../support/server-process.ts';
import { succeeds } from './client-programs.ts';
import { Terminal } from './terminal.ts';

/** Profanity with a home directory of its own, logged in. */
export class Profanity implements AsyncDisposable {
  readonly terminal: Terminal;
  readonly #home: string;

  private constructor(terminal: Terminal, home: string) {
    this.terminal = terminal;
    this.#home = home;
  }

  /** Why it cannot run on this machine, if it cannot. */
  static async missing(): Promise<string | undefined> {
    const isThere = (await succeeds('profanity', ['--version'])) && (await succeeds('tmux', ['-V']));
    return isThere ? undefined : 'profanity or tmux is not installed';
  }

  static async login(server: ServerProcess, jid: string, password: string): Promise<Profanity> {
    const home = await mkdtemp(join(tmpdir(), 'ampere-profanity-'));
    const trusted = join(home, 'trusted');
    await mkdir(trusted);
    await copyFile(server.caFile, join(trusted, 'ca.pem'));
    if (!(await succeeds('openssl', ['rehash', trusted]))) throw new Error('openssl rehash failed');
    await mkdir(join(home, '.config/profanity'), { recursive: true });
    await writeFile(join(home, '.config/profanity/profrc'), `[connection]\ntls.certpath=${trusted}\n`);
    const terminal = await Terminal.open(['profanity'], { HOME: home });
    const profanity = new Profanity(terminal, home);
    const { host, ports } = server.place;
    await terminal.shows('Profanity');
    await terminal.type(`/connect ${jid} server ${host} port ${ports.starttls} tls force`);
    await terminal.shows('Enter password:');
    await terminal.type(password);
    await terminal.shows('logged in successfully');
    return profanity;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminal[Symbol.asyncDispose]();
    await rm(this.#home, { recursive: true, force: true });
  }
}
