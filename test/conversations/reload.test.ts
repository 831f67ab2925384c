import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect } from 'chai';
import { newConsoleLink } from '../../src/web/control/console-operations.ts';
import { createInvitation } from '../../src/web/control/invitation-operations.ts';
import { reload, serverStatus } from '../../src/web/control/server-operations.ts';
import { FederatedServer, type FederatedServerOptions } from '../support/federated-server.ts';
import { freePort } from '../support/free-port.ts';
import type { TestClient } from '../support/test-client.ts';
import { connected, exchange, readUntil, requestText } from '../web/http/raw-http.ts';

const domain = 'verona.example';

describe('A reload of the settings of users', () => {
  let server: FederatedServer;
  let romeo: TestClient;
  before(async () => {
    [server] = (await FederatedServer.startAll([domain], 'dialback')) as [FederatedServer];
    romeo = await server.arrives('romeo');
    await (await server.arrives('juliet', false)).closes();
  });
  after(() => server.stop());

  const reloads = (more: NonNullable<FederatedServerOptions['more']>) => server.reloads({ more });
  const contact = (name: string) =>
    `<iq type="set"><query xmlns="jabber:iq:roster"><item jid="${name}@far.example"/></query></iq>`;

  it('changes the limits of open sessions', async () => {
    await romeo.asks(contact('first'));
    await reloads({ roster: { maxItems: 1 } });
    const refused = await romeo.asks(contact('second'));
    expect(refused.raw).to.contain('resource-constraint');
    await reloads({});
    expect((await romeo.asks(contact('second'))).attributes.get('type')).to.equal('result');
  });

  it('changes how many sessions a user may have', async () => {
    await reloads({ sessions: { maxPerAccount: 1 } });
    const first = await server.logsIn('juliet');
    const second = await server.connects();
    await second.authenticates({ username: 'juliet', password: 'pw' });
    const bind = '<iq type="set"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>';
    expect((await second.asks(bind)).raw).to.contain('resource-constraint');
    await reloads({});
    expect((await second.asks(bind)).attributes.get('type')).to.equal('result');
    await Promise.all([first.closes(), second.closes()]);
  });

  it('changes what the server tells clients about silence', async () => {
    await reloads({ limits: { c2s: { idlePingAfterSeconds: 77 } } });
    const client = await server.connects();
    await client.authenticates({ username: 'juliet', password: 'pw' });
    expect(client.features?.raw).to.contain('<idle-seconds>77<');
    client.disconnects();
    await reloads({});
  });

  it('names what waits for a restart', async () => {
    await reloads({ rooms: { enabled: false }, proxy: { host: 'proxy.example' } });
    const said = server.log.lines.filter((line) => line.includes('take effect after a restart')).at(-1);
    expect(said).to.contain('"keys":["rooms.enabled","proxy.host"]');
    await reloads({});
  });
});

type More = NonNullable<FederatedServerOptions['more']>;

const discoInfo = (to: string) =>
  `<iq type="get" to="${to}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>`;

describe('A reload of what the server offers to clients', () => {
  let server: FederatedServer;
  let romeo: TestClient;
  before(async () => {
    const more = { archive: { enabled: false }, push: { enabled: false } };
    [server] = (await FederatedServer.startAll([domain], 'dialback', { more })) as [FederatedServer];
    romeo = await server.arrives('romeo');
  });
  after(() => server.stop());
  afterEach(() => server.reloads({ more: {} }));

  const reloads = (more: More) => server.reloads({ more });
  const commands = async () =>
    (
      await romeo.asks(
        `<iq type="get" to="${domain}"><query xmlns="http://jabber.org/protocol/disco#items" node="http://jabber.org/protocol/commands"/></iq>`,
      )
    ).raw;
  const usersOnline = () =>
    `<iq type="set" to="${domain}"><command xmlns="http://jabber.org/protocol/commands" node="http://jabber.org/protocol/admin#get-online-users-num"/></iq>`;

  it('makes somebody an administrator, and ends that', async () => {
    expect((await romeo.asks(usersOnline())).raw).to.contain('item-not-found');
    await reloads({ administrators: [`romeo@${domain}`] });
    expect(await commands()).to.contain('admin#get-online-users-num');
    expect((await romeo.asks(usersOnline())).raw).to.contain('status="completed"');
    await reloads({ administrators: [`escalus@${domain}`] });
    expect(await commands()).to.not.contain('admin#get-online-users-num');
    expect((await romeo.asks(usersOnline())).raw).to.contain('forbidden');
  });

  it('turns the commands for users on and off', async () => {
    expect(await commands())
      .to.contain('forward-messages')
      .and.contain('urn:xmpp:invite#invite');
    await reloads({ forwarding: { userCommand: false }, registration: { invitations: 'nobody' } });
    expect(await commands()).to.not.match(/forward-messages|urn:xmpp:invite/);
  });

  it('changes the addresses for contact, and with them the capabilities of the server (XEP-0115)', async () => {
    const capsOf = async () => {
      const client = await server.connects();
      await client.authenticates({ username: 'romeo', password: 'pw' });
      client.disconnects();
      return /ver="([^"]+)"/.exec(client.features?.raw ?? '')?.[1] ?? '';
    };
    const before = await capsOf();
    expect((await romeo.asks(discoInfo(domain))).raw).to.not.contain('abuse-addresses');
    await reloads({ contact: { abuse: ['mailto:abuse@verona.example'] } });
    expect((await romeo.asks(discoInfo(domain))).raw).to.contain('mailto:abuse@verona.example');
    expect((await romeo.asks(discoInfo(`conference.${domain}`))).raw).to.contain('mailto:abuse@verona.example');
    expect(await capsOf()).to.not.equal(before);
  });

  it('turns push on, for clients that are connected, and off', async () => {
    const enable = '<iq type="set"><enable xmlns="urn:xmpp:push:0" jid="push.example" node="n"/></iq>';
    await reloads({ push: { enabled: false } });
    expect((await romeo.asks(discoInfo(romeo.bare))).raw).to.not.contain('urn:xmpp:push:0');
    expect((await romeo.asks(enable)).raw).to.contain('service-unavailable');
    await reloads({ push: { enabled: true } });
    expect((await romeo.asks(discoInfo(romeo.bare))).raw).to.contain('urn:xmpp:push:0');
    expect((await romeo.asks(enable)).attributes.get('type')).to.equal('result');
  });

  it('turns archives on, for clients that are connected, and off', async () => {
    const query = '<iq type="set"><query xmlns="urn:xmpp:mam:2"/></iq>';
    const says = async (body: string) => {
      romeo.sends(`<message to="juliet@${domain}" type="chat"><body>${body}</body></message>`);
      await romeo.settles();
    };
    const archived = async () => {
      romeo.sends(query.replace('<iq', '<iq id="q"'));
      return (await romeo.drains()).map(({ raw }) => raw).join('');
    };
    const juliet = await server.arrives('juliet');
    await reloads({ archive: { enabled: false } });
    expect((await romeo.asks(query)).raw).to.contain('service-unavailable');
    await says('a secret');
    await reloads({ archive: { enabled: true } });
    await says('for the archive');
    expect(await archived())
      .to.contain('for the archive')
      .and.not.contain('a secret');
    await reloads({ archive: { enabled: false } });
    expect((await romeo.asks(query)).raw).to.contain('service-unavailable');
    await reloads({ archive: { enabled: true } });
    expect(await archived()).to.contain('for the archive');
    juliet.disconnects();
  });

  it('changes how new streams authenticate, and nothing for open ones', async () => {
    const features = async () => {
      const client = await server.connects();
      client.disconnects();
      return client.features?.raw ?? '';
    };
    expect(await features())
      .to.contain('PLAIN')
      .and.contain('urn:xmpp:fast:0')
      .and.contain('UPGR-SCRAM-SHA-512');
    await reloads({
      authentication: { mechanisms: ['SCRAM-SHA-1'], fast: { enabled: false }, scramUpgrades: [] },
    });
    expect(await features())
      .to.contain('<mechanism>SCRAM-SHA-1</mechanism>')
      .and.not.match(/PLAIN|SHA-256|urn:xmpp:fast:0|UPGR/);
    await romeo.settles();
  });

  it('changes for how long sessions can be resumed', async () => {
    await reloads({ streamManagement: { resumeSeconds: 77 } });
    // Not romeo: a client with stream management is asked for acknowledgments in every later test.
    const mercutio = await server.arrives('mercutio', false);
    mercutio.sends('<enable xmlns="urn:xmpp:sm:3" resume="true"/>');
    await mercutio.receives('<enabled xmlns="urn:xmpp:sm:3" max="77" resume="true"/>');
    mercutio.disconnects();
  });

  it('changes how large stanzas of new streams may be', async () => {
    await reloads({ limits: { disabled: true, c2s: { stanzaBytes: 12_345 } } });
    await (await server.arrives('tybalt', false)).closes();
    const client = await server.logsIn('tybalt', false);
    expect(client.features?.raw).to.contain('<max-bytes>12345<');
    client.sends(`<message><body>${'x'.repeat(12_400)}</body></message>`);
    await client.receivesStreamError('policy-violation');
  });

  it('changes what rules of AMP may do', async () => {
    const message = (to: string) =>
      `<iq type="get" to="${to}"><query xmlns="http://jabber.org/protocol/disco#info" node="http://jabber.org/protocol/amp"/></iq>`;
    expect((await romeo.asks(message(domain))).raw).to.contain('amp?action=drop');
    await reloads({ amp: { disabledActions: ['drop'] } });
    expect((await romeo.asks(message(domain))).raw)
      .to.contain('amp?action=error')
      .and.not.contain('amp?action=drop');
  });

  it('answers the operator with what needs a restart', async () => {
    expect(await server.administration.call(reload, {})).to.deep.equal({ waiting: [] });
    await reloads({ edges: 1, proxy: { host: 'proxy.example' } });
    expect(await server.administration.call(reload, {})).to.deep.equal({ waiting: ['edges', 'proxy.host'] });
  });
});

describe('A reload of what the server offers to browsers', () => {
  let server: FederatedServer;
  before(async () => {
    [server] = (await FederatedServer.startAll([domain], 'dialback', { http: true })) as [FederatedServer];
  });
  after(() => server.stop());
  afterEach(() => server.reloads({ more: {} }));

  const reloads = (web: NonNullable<More['web']>) => server.reloads({ more: { web } });
  const statusOf = (answer: string) => Number(answer.slice(9, 12));
  const gets = async (path: string, headers: readonly string[] = []) =>
    statusOf(await exchange(server.httpPort, `GET ${path}`, '', headers));

  it('turns pages on and off', async () => {
    expect([await gets('/chat'), await gets('/metrics')]).to.deep.equal([200, 404]);
    await reloads({ chat: 'off', metrics: { enabled: true } });
    expect([await gets('/chat'), await gets('/metrics')]).to.deep.equal([404, 200]);
  });

  it('changes the address that clients are told, and the names that are answered', async () => {
    const named = ['Host: chat.example'];
    const answer = () => exchange(server.httpPort, 'GET /.well-known/host-meta.json');
    const asked = async () =>
      statusOf(
        await exchange(server.httpPort, 'GET http://chat.example/.well-known/host-meta.json', '', named.slice(1)),
      );
    const link = async () => {
      const { landingUrl } = await server.administration.call(createInvitation, {});
      return landingUrl;
    };
    expect(await answer()).to.not.contain('chat.example');
    expect(await asked()).to.equal(421);
    await reloads({ publicUrl: 'https://chat.example' });
    expect(await answer()).to.contain('wss://chat.example/xmpp-websocket');
    expect(await asked()).to.equal(200);
    expect(await link()).to.match(/^https:\/\/chat\.example\/invite\//);
  });

  it('changes the pages that may open streams', async () => {
    const opens = async () => {
      const socket = await connected(server.httpPort);
      const headers = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
      const protocol = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: xmpp', 'Origin: https://app.example'];
      socket.write(requestText('GET /xmpp-websocket', [...headers, ...protocol]));
      const answer = await readUntil(socket, '\r\n\r\n');
      socket.destroy();
      return statusOf(answer);
    };
    expect(await opens()).to.equal(101);
    await reloads({ origins: ['https://other.example'] });
    expect(await opens()).to.equal(403);
  });

  it('keeps sessions of BOSH', async () => {
    const says = (attributes: string) =>
      exchange(
        server.httpPort,
        'POST /http-bind',
        `<body xmlns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh" ${attributes}/>`,
      );
    const opened = await says(`rid="100" to="${domain}" wait="5" hold="1" ver="1.6" xmpp:version="1.0"`);
    const [, sid] = /sid="([^"]+)"/.exec(opened) ?? [];
    await reloads({ hstsDays: 1 });
    expect(await says(`rid="101" sid="${sid}" type="terminate"`)).to.not.contain('item-not-found');
    expect(await says(`rid="102" sid="${sid}"`)).to.contain('item-not-found');
  });

  const newLink = (person: Parameters<typeof newConsoleLink.run>[1] = { operator: 'mercutio', role: 'operator' }) =>
    server.administration.call(newConsoleLink, person);

  /** Logs in to the console; gives the header with the cookie. */
  async function logsIn(person?: Parameters<typeof newLink>[0]): Promise<readonly string[]> {
    const { url } = await newLink(person);
    const headers = ['Sec-Fetch-Site: same-origin', 'Content-Type: application/x-www-form-urlencoded'];
    const answer = await exchange(server.httpPort, `POST ${new URL(url).pathname}`, 'x=', headers);
    return [`Cookie: ${/set-cookie: ([^;]+)/i.exec(answer)?.[1]}`];
  }

  it('keeps those who are logged in to the console, until it is off', async () => {
    const cookie = await logsIn();
    await reloads({ hstsDays: 1 });
    expect(await gets('/console', cookie)).to.equal(200);
    await reloads({ console: { networks: ['192.0.2.1'] } });
    expect(await gets('/console', cookie)).to.equal(403);
    await reloads({});
    expect(await gets('/console', cookie)).to.equal(200);
    await reloads({ console: { enabled: false } });
    expect(await gets('/console', cookie)).to.equal(404);
    expect(await newLink().catch((error: Error) => error.message)).to.match(/The console is off/);
    await reloads({});
    // Nobody stays logged in while the console is off.
    expect(await gets('/console', cookie)).to.equal(403);
    expect((await newLink()).url).to.match(/\/console\/login\//);
  });

  it('ends the logins to the console of those who are no administrators any more', async () => {
    const operator = `romeo@${domain}`;
    const administrators = [operator];
    await server.reloads({ more: { administrators } });
    const cookie = await logsIn({ operator, role: 'operator', asAdministrator: true });
    expect(await gets('/console', cookie)).to.equal(200);
    await server.reloads({ more: {} });
    expect(await gets('/console', cookie)).to.equal(403);
  });

  it('opens the console to clients of a proxy that it trusts from then on', async () => {
    const from = (client: string) => [
      `X-Forwarded-For: ${client}`,
      'X-Forwarded-Proto: https',
      'Sec-Fetch-Site: same-origin',
    ];
    expect(await gets('/console', from('198.51.100.7'))).to.equal(403);
    await reloads({ trustedProxies: ['127.0.0.1'], console: { networks: ['198.51.100.0/24'] } });
    const { url } = await newLink();
    const path = new URL(url).pathname;
    expect(await gets(path, from('203.0.113.9'))).to.equal(403);
    expect(await gets(path, from('198.51.100.7, 203.0.113.9'))).to.equal(403);
    const form = [...from('198.51.100.7'), 'Content-Type: application/x-www-form-urlencoded'];
    const answer = await exchange(server.httpPort, `POST ${path}`, 'x=', form);
    expect(answer).to.match(/set-cookie: __Host-ampere=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict/i);
    const token = /__Host-ampere=([^;]+)/.exec(answer)?.[1];
    expect(await gets('/console', [...from('198.51.100.7'), `Cookie: __Host-ampere=${token}`])).to.equal(200);
    expect(await gets('/console', [...from('198.51.100.7'), `Cookie: ampere=${token}`])).to.equal(403);
  });

  it('turns uploads on and off, with the service for them', async () => {
    const romeo = await server.arrives('romeo');
    const items = async () =>
      (await romeo.asks(`<iq type="get" to="${domain}"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>`))
        .raw;
    const slot = `<iq type="get" to="upload.${domain}"><request xmlns="urn:xmpp:http:upload:0" filename="a" size="1"/></iq>`;
    expect(await items()).to.not.contain(`upload.${domain}`);
    await server.reloads({ more: { web: { publicUrl: 'https://chat.example' }, uploads: { maxFileBytes: 5 } } });
    expect(await items()).to.contain(`upload.${domain}`);
    const answer = (await romeo.asks(slot)).raw;
    const [, path = ''] = /<get url="https:\/\/chat\.example([^"]+)"/.exec(answer) ?? [];
    expect(path, answer).to.match(/^\/files\//);
    expect((await romeo.asks(slot.replace('size="1"', 'size="100"'))).raw).to.contain('file-too-large');
    await server.reloads({ more: {} });
    expect(await items()).to.not.contain(`upload.${domain}`);
    expect(await gets(path)).to.equal(404);
  });
});

describe('A reload of the ports', () => {
  const at = (port: number) => ({ host: '127.0.0.1', port });
  let server: FederatedServer;
  let romeo: TestClient;
  let first: number;
  let second: number;
  let web: number;

  const listening = (c2s: More['listen'], http: readonly number[] = []): FederatedServerOptions => ({
    more: {
      listen: { ...c2s, c2sTls: [], s2s: [], s2sTls: [], https: [], components: [], proxy: [], http: http.map(at) },
    },
  });
  const listens = async () => {
    const { addresses } = await server.administration.call(serverStatus, {});
    return [addresses['c2s'], addresses['http']].map((each) => each?.map(({ port }) => port));
  };
  const refuses = async (port: number) => {
    const [error] = await once(connect(port, '127.0.0.1'), 'error');
    expect(error).to.have.property('code', 'ECONNREFUSED');
  };

  before(async () => {
    [first, second, web] = [await freePort(), await freePort(), await freePort()];
    const options = listening({ c2s: [at(first)] });
    [server] = (await FederatedServer.startAll([domain], 'dialback', options)) as [FederatedServer];
    romeo = await server.arrives('romeo');
  });
  after(() => server.stop());

  it('opens new ones, and closes others under the streams that came through them', async () => {
    await server.reloads(listening({ c2s: [at(first), at(second)] }, [web]));
    expect(await listens()).to.deep.equal([[first, second], [web]]);
    expect(await exchange(web, 'GET /')).to.match(/^HTTP\/1\.1 200 /);
    await server.reloads(listening({ c2s: [at(second)] }));
    await Promise.all([refuses(first), refuses(web)]);
    await (await server.connects()).closes();
    await romeo.settles();
  });

  it('changes nothing if a port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const refused = await server.reloads(listening({ c2s: [at(first), at(port)] })).catch((error: Error) => error);
    other.close();
    expect(refused).to.have.property('code', 'EADDRINUSE');
    expect(await listens()).to.deep.equal([[second], []]);
    await refuses(first);
    await romeo.settles();
  });

  it('names those that only a restart can open', async () => {
    await server.reloads(listening({ c2s: [{ host: '0.0.0.0', port: second }] }));
    expect(await server.administration.call(reload, {})).to.deep.equal({ waiting: ['listen.c2s'] });
    expect(await listens()).to.deep.equal([[second], []]);
  });
});
