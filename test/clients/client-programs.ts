import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Debian's Python, for which the client libraries are packaged; another one on the PATH does not see them. */
const python = '/usr/bin/python3';

/** A stock client library behind a small program that speaks the line protocol of `ClientProcess`. */
export interface ClientProgram {
  readonly name: string;
  /** Whether it can begin with TLS instead of STARTTLS. */
  readonly directTls: boolean;
  /** Whether the program keeps a roster and subscribes to contacts. */
  readonly roster: boolean;
  /** Why it cannot run on this machine, if it cannot. */
  missing(): Promise<string | undefined>;
  /** The command line before the arguments, made ready to run. */
  command(): Promise<readonly [string, ...string[]]>;
}

const source = (name: string): string => join(import.meta.dirname, name);

/** slixmpp, an asyncio library for Python. */
export const slixmpp = pythonProgram('slixmpp', 'slixmpp');

/** python-nbxmpp, the library below Gajim. */
export const nbxmpp = pythonProgram('nbxmpp', 'nbxmpp.client');

/** xmpp.js for Node. */
export const xmppJs: ClientProgram = {
  name: '@xmpp/client',
  directTls: true,
  roster: true,
  missing: async () => undefined,
  command: async () => [process.execPath, source('xmpp-js-client.js')],
};

/** stanza for Node. */
export const stanza: ClientProgram = {
  name: 'stanza',
  directTls: true,
  roster: false,
  missing: async () => undefined,
  command: async () => [process.execPath, source('stanza-client.js')],
};

/** libstrophe, the C library below Profanity. */
export const strophe = compiledProgram('libstrophe', ['cc'], 'strophe-client.c', { directTls: true, roster: false });

/** gloox, a C++ library. */
export const gloox = compiledProgram('gloox', ['g++', '-std=c++17'], 'gloox-client.cc', {
  directTls: false,
  roster: true,
});

/** Whether a command succeeds. */
export async function succeeds(file: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(file, [...args]);
    return true;
  } catch {
    return false;
  }
}

function pythonProgram(name: string, module: string): ClientProgram {
  return {
    name,
    directTls: true,
    roster: true,
    missing: async () =>
      (await succeeds(python, ['-c', `import ${module}`])) ? undefined : `python3-${name} is not installed`,
    command: async () => [python, source(`${name}-client.py`)],
  };
}

function compiledProgram(
  library: string,
  compiler: readonly [string, ...string[]],
  file: string,
  abilities: Pick<ClientProgram, 'directTls' | 'roster'>,
): ClientProgram {
  let binary: Promise<string> | undefined;
  return {
    name: library,
    ...abilities,
    missing: async () =>
      (await succeeds('pkg-config', ['--exists', library])) ? undefined : `${library} is not installed`,
    command: async () => {
      binary ??= compile(library, compiler, file);
      return [await binary];
    },
  };
}

async function compile(library: string, compiler: readonly [string, ...string[]], file: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ampere-client-'));
  after(() => rm(directory, { recursive: true, force: true }));
  const binary = join(directory, library);
  const flags = (await run('pkg-config', ['--cflags', '--libs', library])).stdout.trim().split(/\s+/);
  const [command, ...options] = compiler;
  await run(command, [...options, '-Wall', '-Wextra', '-Werror', '-o', binary, source(file), ...flags]);
  return binary;
}

/** Whether slixmpp has the library that it needs for uploads. */
export async function hasAiohttp(): Promise<boolean> {
  return run('/usr/bin/python3', ['-c', 'import aiohttp']).then(
    () => true,
    () => false,
  );
}
