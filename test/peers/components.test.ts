import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../support/free-port.ts';
import { LineProcess } from '../support/line-process.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { TestClient } from '../support/test-client.ts';
import { needsPackages } from './needs-packages.ts';
import { seek } from './seek.ts';

const amp = 'http://jabber.org/protocol/amp';
const discoInfo = 'http://jabber.org/protocol/disco#info';
const echo = 'echo.localhost';
const sms = 'sms.localhost';
const irc = 'irc.localhost';

describe('Ampere and other people’s components', () => {
  needsPackages(['biboumi', 'python3-slixmpp']);
  const programs: LineProcess[] = [];
  let server: ServerProcess | undefined;
  let romeo: TestClient;

  before(async () => {
    const port = await freePort();
    const components = { [echo]: { secret: 's' }, [sms]: { secret: 's' }, [irc]: { secret: 's', gateway: true } };
    server = await startServer({ settings: { listen: { components: [{ host: '127.0.0.1', port }] }, components } });
    await startsEcho(port, echo, 'component', 'generic');
    await startsEcho(port, sms, 'gateway', 'sms');
    await starts('biboumi', /Authenticated with the XMPP server/, 'biboumi', [
      await biboumiConfiguration(server, port),
    ]);
    romeo = await arrives(server, 'romeo');
  });

  after(async () => {
    for (const program of programs) {
      program.kill('SIGTERM');
      await program.end();
    }
    await server?.stop();
  });

  async function starts(name: string, ready: RegExp, file: string, args: readonly string[]): Promise<void> {
    const program = new LineProcess(name, file, args);
    programs.push(program);
    const said = () => [...program.lines, ...program.complaints].find((line) => ready.test(line));
    await program.waitFor(`line ${ready}`, said);
  }

  function startsEcho(port: number, ...[address, category, type]: readonly [string, string, string]): Promise<void> {
    const program = join(import.meta.dirname, 'slixmpp-echo.py');
    return starts(address, /online/, '/usr/bin/python3', [program, address, 's', `${port}`, category, type]);
  }

  /** Whoever has answered this has also answered what the server asked before. */
  async function identifiesAs(domain: string, category: string): Promise<void> {
    romeo.sends(`<iq type="get" id="i1" to="${domain}"><query xmlns="${discoInfo}"/></iq>`);
    const query = `<query xmlns="${discoInfo}"><identity category="${category}"/>...</query>`;
    await seek(romeo, `<iq type="result" from="${domain}" to="${romeo.jid}" id="i1">${query}</iq>`);
  }

  async function notified(to: string, value: string): Promise<void> {
    const rule = `<rule action="notify" condition="deliver" value="${value}"/>`;
    const rules = `<amp xmlns="${amp}">${rule}</amp>`;
    romeo.sends(`<message to="${to}" type="chat" id="m-${value}"><body>hello</body>${rules}</message>`);
    const report = `<amp xmlns="${amp}" status="notify" from="${romeo.jid}" to="${to}">${rule}</amp>`;
    await seek(romeo, `<message from="localhost" to="${romeo.jid}" id="m-${value}">${report}</message>`);
  }

  it('exchange messages (slixmpp)', async () => {
    romeo.sends(`<message to="parrot@${echo}" type="chat" id="m1"><body>hello</body></message>`);
    await seek(romeo, `<message from="parrot@${echo}" to="*" type="chat"><body>you said: hello</body>...</message>`);
  });

  it('are gateways if they say so of themselves, or if the configuration does', async () => {
    await identifiesAs(echo, 'component');
    await identifiesAs(sms, 'gateway');
    await identifiesAs(irc, 'conference');
    const listed = await server?.ampere('components', 'list');
    expect(
      listed
        ?.trimEnd()
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/)),
    ).to.have.deep.members([
      [echo, 'connected from 127.0.0.1'],
      [sms, 'connected from 127.0.0.1', 'gateway'],
      [irc, 'connected from 127.0.0.1', 'gateway'],
    ]);
  });

  it('are delivered to as what they are (XEP-0079 §3.3.1)', async () => {
    await notified(`parrot@${echo}`, 'direct');
    await notified(`+100@${sms}`, 'gateway');
    await notified(`nobody%irc.invalid@${irc}`, 'gateway');
  });
});

async function biboumiConfiguration({ place: { directory } }: ServerProcess, port: number): Promise<string> {
  const file = join(directory, 'biboumi.cfg');
  const values = {
    hostname: irc,
    password: 's',
    xmpp_server_ip: '127.0.0.1',
    port,
    db_name: join(directory, 'biboumi.sqlite'),
    identd_port: await freePort(),
    policy_directory: directory,
    log_level: 0,
  };
  await writeFile(
    file,
    Object.entries(values)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  return file;
}

async function arrives(server: ServerProcess, username: string): Promise<TestClient> {
  await server.addUser(`${username}@localhost`, 'pw');
  const client = await TestClient.connect({ host: '127.0.0.1', port: server.place.ports.starttls }, 'localhost');
  await client.opens();
  await client.startsTls({ ca: await readFile(server.caFile) });
  await client.opens();
  await client.authenticates({ username, password: 'pw' });
  await client.binds('r');
  await client.appears();
  return client;
}
