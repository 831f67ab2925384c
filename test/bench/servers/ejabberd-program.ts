import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How Debian's ejabberd is started by itself, with files of its own. */
export async function ejabberdProgram(
  { directory, data, config }: { directory: string; data: string; config: string },
  runtime: readonly string[],
) {
  const database = ['-mnesia', 'dir', `"${data}"`];
  const command: readonly [string, ...string[]] = ['erl', '-noinput', ...runtime, ...database, '-s', 'ejabberd'];
  const environment = {
    ERL_LIBS: await libraries(),
    EJABBERD_CONFIG_PATH: config,
    EJABBERD_LOG_PATH: join(directory, 'ejabberd.log'),
    ERL_MAX_PORTS: '32000',
    ERL_MAX_ETS_TABLES: '1400',
    ERL_CRASH_DUMP_BYTES: '0',
    HOME: directory,
  };
  return { command, environment };
}

/** Where Debian has put the libraries is written in its start script. */
async function libraries(): Promise<string> {
  const script = await readFile('/usr/sbin/ejabberdctl', 'utf8');
  return /^ERL_LIBS='([^']+)'/m.exec(script)?.[1] ?? '/usr/lib';
}
