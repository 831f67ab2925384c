import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineProcess } from '../support/line-process.ts';
import type { Settings } from '../support/test-server.ts';

const program = fileURLToPath(new URL('./server-program.ts', import.meta.url));

/** A file system of a few MiB in memory, visible only to the servers started on it and to this process. It ends with its holder. */
export class SmallDisk {
  readonly #holder: LineProcess;
  readonly #directory: string;

  private constructor(holder: LineProcess, directory: string) {
    this.#holder = holder;
    this.#directory = directory;
  }

  /** Mounts one; undefined if this process may not. */
  static async make(mebibytes: number): Promise<SmallDisk | undefined> {
    const directory = await mkdtemp(join(tmpdir(), 'ampere-full-'));
    const mount = `mount -t tmpfs -o size=${mebibytes}m,mode=700 tmpfs '${directory}' && echo mounted && exec cat`;
    const holder = new LineProcess('small disk', 'unshare', ['--mount', 'sh', '-c', mount]);
    try {
      await holder.waitFor('the mount', () => holder.lines.includes('mounted') || undefined);
      return new SmallDisk(holder, directory);
    } catch {
      await rm(directory, { recursive: true, force: true });
      return undefined;
    }
  }

  /** The path of a file on it, for this process. */
  path(name: string): string {
    return join(`/proc/${this.#holder.pid}/root`, this.#directory, name);
  }

  /** Starts a server with its data directory there. */
  serve(names: readonly string[], ballastBytes: number, more: Settings = {}): LineProcess {
    const settings = { storage: { quickCheck: false, ballastBytes }, log: { level: 'info', format: 'json' }, ...more };
    const server = [process.execPath, program, this.#directory, names.join(','), JSON.stringify(settings)];
    return new LineProcess('server', 'nsenter', ['--target', String(this.#holder.pid), '--mount', ...server]);
  }

  /** Fills all the space that is left. */
  fill(): void {
    const file = openSync(this.path('filler'), 'a');
    try {
      for (const bytes of [65_536, 4096]) while (takes(file, bytes));
    } finally {
      closeSync(file);
    }
  }

  /** Frees the space that `fill` took. */
  clear(): void {
    rmSync(this.path('filler'));
  }

  async close(): Promise<void> {
    this.#holder.kill('SIGTERM');
    await this.#holder.end();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function takes(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes, 1)) > 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
    throw error;
  }
}
