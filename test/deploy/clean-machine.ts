import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { LineProcess } from '../support/line-process.ts';

const run = promisify(execFile);

/** The checkout. */
export const checkout = resolve(import.meta.dirname, '../..');

/** Directories that the documents name, and that a clean machine has below its own root. */
const ownPaths = /(?<![\w./])\/(opt|etc|srv|var|usr\/local\/bin|run)\/(?=[a-z])/g;
const systemPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** The user "nobody", who stands for the user "ampere". */
const unprivileged = 65_534;

/** What a person can read. */
const documents = [
  'README.md',
  ...readdirSync(join(checkout, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
  .map((name) => readFileSync(join(checkout, name), 'utf8'))
  .join('\n');

/**
 * A machine without Ampere: an empty directory tree, whose paths stand for those in the documents, with the programs of the system. Commands
 * run without the environment of the tests. If the tests run as root, the server and `sudo -u ampere` run as the user nobody.
 */
export class CleanMachine {
  readonly root = mkdtempSync(join(tmpdir(), 'ampere-m-'));
  readonly isRoot = process.getuid?.() === 0;

  constructor() {
    chmodSync(this.root, 0o755);
    for (const directory of [
      'etc/systemd/system',
      'opt',
      'srv',
      'usr/local/bin',
      'var/lib',
      'var/backups',
      'root',
      'run',
    ])
      mkdirSync(this.path(`/${directory}`), { recursive: true });
    copyFileSync(process.execPath, this.path('/usr/local/bin/node'), constants.COPYFILE_FICLONE);
    this.program('sudo', `shift 2; exec ${this.#asServer.join(' ')} "$@"`);
  }

  /** Where a path of the documents is. */
  path(path: string): string {
    return join(this.root, path);
  }

  /** Replaces the paths of the documents in a text. */
  mapped(text: string): string {
    return text.replace(ownPaths, (path) => `${this.root}${path}`);
  }

  /** Writes a file that the user of the server can read. */
  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  /** Writes a program into /usr/local/bin. */
  program(name: string, script: string): void {
    this.write(`/usr/local/bin/${name}`, script.startsWith('#!') ? script : `#!/bin/sh\n${script}\n`);
    chmodSync(this.path(`/usr/local/bin/${name}`), 0o755);
  }

  /** Gives a file or directory to the user of the server. */
  give(path: string, mode: number): void {
    if (this.isRoot) chownSync(this.path(path), unprivileged, unprivileged);
    chmodSync(this.path(path), mode);
  }

  /** Makes a directory of the user of the server. */
  makeDirectory(path: string, mode: number): void {
    mkdirSync(this.path(path), { recursive: true });
    this.give(path, mode);
  }

  /** The code in the documents between fences that contains a text. */
  documented(text: string): string {
    const blocks = documents.match(/^```\w*\n[\s\S]*?^```$/gm) ?? [];
    const block = blocks.find((one) => one.includes(text));
    if (block === undefined) throw new Error(`no document has ${text}`);
    return block.split('\n').slice(1, -1).join('\n');
  }

  /** Whether the documents have a text. */
  says(text: string): boolean {
    return documents.includes(text);
  }

  /** Types a command that the documents have, and gives what it prints. */
  async types(command: string, environment: Readonly<Record<string, string>> = {}, cwd = '/root'): Promise<string> {
    expect(documents, 'the documents do not say so').to.include(command);
    const options = { env: { ...this.#environment, ...environment }, cwd: cwd === '/root' ? this.path(cwd) : cwd };
    const typed = run('sh', ['-c', this.mapped(this.#withoutUser(command))], options);
    return (await typed.catch(({ message, stdout }) => expect.fail(`${message}\n${stdout}`))).stdout;
  }

  /** Starts a command that the documents have and that does not end by itself. */
  starts(command: string): LineProcess {
    expect(documents, 'the documents do not say so').to.include(command);
    const [file = '', ...args] = this.#cleared(this.#environment, ['sh', '-c', `exec ${this.mapped(command)}`]);
    return new LineProcess(command, file, args);
  }

  /** A process of the user of the server, with nothing in its environment but this. */
  serverProcess(
    name: string,
    environment: Readonly<Record<string, string>>,
    directory: string,
    command: readonly string[],
  ): LineProcess {
    const inDirectory = ['env', '-C', this.path(directory), ...command];
    const [file = '', ...args] = this.#cleared({ PATH: this.#environment.PATH, ...environment }, [
      ...this.#asServer,
      ...inDirectory,
    ]);
    return new LineProcess(name, file, args);
  }

  /** Removes everything. */
  remove(): void {
    if (existsSync(this.root)) rmSync(this.root, { recursive: true, force: true });
  }

  get #environment() {
    return { PATH: [this.path('/usr/local/bin'), ...systemPath].join(':'), HOME: this.path('/root') };
  }

  get #asServer(): string[] {
    if (!this.isRoot) return ['env'];
    return ['setpriv', `--reuid=${unprivileged}`, `--regid=${unprivileged}`, '--clear-groups'];
  }

  #cleared(environment: Readonly<Record<string, string>>, command: readonly string[]): string[] {
    return ['env', '-i', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`), ...command];
  }

  /** The machine has no user "ampere". */
  #withoutUser(command: string): string {
    return command.replace('-o ampere -g ampere', this.isRoot ? `-o ${unprivileged} -g ${unprivileged}` : '');
  }
}
