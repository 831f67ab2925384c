import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { accountNames, domain, iterations, scramVerifier } from '../accounts.ts';
import type { Place } from '../place.ts';
import type { BenchServer, Setup } from './bench-server.ts';
import { debianVersion } from './debian-package.ts';
import { ejabberdProgram } from './ejabberd-program.ts';
import { fillTemplate } from './template.ts';

const run = promisify(execFile);
const seedTimeoutMs = 120_000;
/** Its archives in Mnesia are faster than those in SQLite. */
const archiveModule = 'mod_mam: { db_type: mnesia, default: always, request_activates_archiving: false }';

/** ejabberd from Debian, with one scheduler for each core it has. */
export const ejabberd: BenchServer = {
  name: 'ejabberd',
  title: 'ejabberd',
  product: 'ejabberd',
  raw: false,
  version: () => debianVersion('ejabberd'),
  seedKey: async () => '',

  async seed(place) {
    const { command, environment } = await prepare(place, { cores: 1, archive: false, rooms: false, webSocket: false });
    const accounts = join(place.directory, 'accounts.term');
    await writeFile(accounts, accountTerms());
    const [file, ...args] = command;
    const options = { env: { ...process.env, ...environment }, timeout: seedTimeoutMs };
    await run(file, [...args, '-eval', seedProgram(accounts)], options);
  },

  launch: (place, setup) => prepare(place, setup),
};

async function prepare({ directory, data, ports, certificate }: Place, setup: Setup) {
  const { cores, archive, rooms, webSocket } = setup;
  await mkdir(data, { recursive: true });
  const config = join(directory, 'ejabberd.yml');
  const values = {
    PLAIN: ports.plain,
    TLS: ports.tls,
    CERTIFICATE: certificate.both,
    DOMAIN: domain,
    WEBSOCKET: webSocket ? webSocketListener(ports.https) : '',
    ARCHIVE: archive ? archiveModule : '',
    ROOMS: rooms ? roomModule(archive) : '',
  };
  await fillTemplate('ejabberd.yml', config, values);
  const schedulers = ['+S', `${cores}:${cores}`, '+SDcpu', `${cores}:${cores}`];
  return ejabberdProgram({ directory, data, config }, ['+K', 'true', '+P', '250000', ...schedulers]);
}

function webSocketListener(port: number): string {
  const handlers = '{ "/xmpp-websocket": ejabberd_http_ws }';
  return `- { port: ${port}, ip: "127.0.0.1", module: ejabberd_http, backlog: 4096, tls: true, request_handlers: ${handlers} }`;
}

function roomModule(archive: boolean): string {
  const limits = 'max_users: 5000, max_users_presence: 5000';
  return `mod_muc: { host: conference.${domain}, ${limits}, default_room_options: { max_users: 5000, mam: ${archive} } }`;
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
