import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { accountNames, domain, iterations, scramVerifier } from '../accounts.ts';
import type { Place } from '../place.ts';
import type { BenchServer } from './bench-server.ts';
import { debianVersion } from './debian-package.ts';
import { fillTemplate } from './template.ts';

const run = promisify(execFile);
const seedTimeoutMs = 120_000;

/** ejabberd from Debian, with one scheduler for each core it has. */
export const ejabberd: BenchServer = {
  name: 'ejabberd',
  title: 'ejabberd',
  product: 'ejabberd',
  raw: false,
  version: () => debianVersion('ejabberd'),
  seedKey: async () => '',

  async seed(place) {
    const { command, environment } = await prepare(place, 1);
    const accounts = join(place.directory, 'accounts.term');
    await writeFile(accounts, accountTerms());
    const [file, ...args] = command;
    const options = { env: { ...process.env, ...environment }, timeout: seedTimeoutMs };
    await run(file, [...args, '-eval', seedProgram(accounts)], options);
  },

  launch: (place, cores) => prepare(place, cores),
};

async function prepare({ directory, data, ports, certificate }: Place, cores: number) {
  await mkdir(data, { recursive: true });
  const config = join(directory, 'ejabberd.yml');
  const values = { PLAIN: ports.plain, TLS: ports.tls, CERTIFICATE: certificate.both, DOMAIN: domain };
  await fillTemplate('ejabberd.yml', config, values);
  const runtime = ['-noinput', '+K', 'true', '+P', '250000', '+S', `${cores}:${cores}`, '+SDcpu', `${cores}:${cores}`];
  const command: readonly [string, ...string[]] = ['erl', ...runtime, '-mnesia', 'dir', `"${data}"`, '-s', 'ejabberd'];
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

function accountTerms(): string {
  const { salt, storedKey, serverKey } = scramVerifier();
  const [stored, server, salted] = [storedKey, serverKey, salt].map((bytes) => `<<"${bytes.toString('base64')}">>`);
  const scram = `{scram, ${stored}, ${server}, ${salted}, sha, ${iterations}}`;
  return accountNames()
    .map((name) => `{passwd, {<<"${name}">>, <<"${domain}">>}, ${scram}}.\n`)
    .join('');
}

/** Waits for the table of ejabberd_auth_mnesia, fills it and stops. */
function seedProgram(file: string): string {
  return `
    fun Wait(0) -> halt(1);
        Wait(N) -> case lists:member(passwd, mnesia:system_info(tables)) of
          true -> ok; false -> timer:sleep(100), Wait(N - 1) end
    end(300),
    ok = mnesia:wait_for_tables([passwd], 30000),
    {ok, Accounts} = file:consult("${file}"),
    [mnesia:dirty_write(passwd, Account) || Account <- Accounts],
    mnesia:dump_log(), init:stop().`;
}
