import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Server, startServer } from '../../src/compose/server.ts';
import { configSchema } from '../../src/config/schema.ts';
import { listAdministrations } from '../../src/web/control/audit.ts';
import { newConsoleLink } from '../../src/web/control/console-operations.ts';
import { blockDomain, listSuspensions, suspendUser } from '../../src/web/control/moderation-operations.ts';
import { addUser, listUsers } from '../../src/web/control/user-operations.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { TestClient } from '../support/test-client.ts';
import { exchange, readUntil, requestText } from '../web/http/raw-http.ts';

const here = [{ host: '127.0.0.1', port: 0 }];
const jid = 'romeo@localhost';

/** What a browser says of a form on a page of the console. */
const own = ['Sec-Fetch-Site: same-origin'];

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

type Fields = Readonly<Record<string, string>>;

describe('The console over HTTP', () => {
  const clock = new ManualClock();
  const log = new RecordingLog();
  let directory: string;
  let server: Server;
  let port: number;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ampere-console-'));
    const config = configSchema({ directory, environment: {} }).parse({
      dataDir: '.',
      administrators: ['escalus@localhost'],
      listen: { c2s: here, c2sTls: here, components: [], http: here },
      s2s: { enabled: false },
      authentication: { scramIterations: 4096 },
      storage: { quickCheck: false, ballastBytes: 0 },
      limits: { disabled: true },
    });
    server = await startServer(config, { log, clock });
    port = server.addresses.http[0]?.port ?? 0;
    await server.administration.call(addUser, { jid, password: 'a secret of romeo' });
    await server.administration.call(addUser, { jid: 'escalus@localhost', password: 'a secret of escalus' });
  });
  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true });
  });

  async function ask(start: string, headers: readonly string[] = [], fields?: Fields): Promise<Answer> {
    const body = fields === undefined ? '' : String(new URLSearchParams(fields));
    const type = fields === undefined ? [] : ['Content-Type: application/x-www-form-urlencoded'];
    const [head = '', ...rest] = (await exchange(port, start, body, [...headers, ...type])).split('\r\n\r\n');
    return { status: Number(head.slice(9, 12)), head, body: rest.join('\r\n\r\n') };
  }

  async function linkFor(role: 'observer' | 'operator'): Promise<string> {
    const { url } = await server.administration.call(newConsoleLink, { operator: 'mercutio', role });
    return new URL(url).pathname;
  }

  /** Logs in by a new link; gives the header with the cookie. */
  async function cookieOf(
    role: 'observer' | 'operator' = 'operator',
    headers: readonly string[] = [],
  ): Promise<string> {
    const { status, head } = await ask(`POST ${await linkFor(role)}`, [...own, ...headers], { x: '' });
    expect(status, head).to.equal(303);
    return `Cookie: ${/set-cookie: ([^;]+)/i.exec(head)?.[1]}`;
  }

  /** The token of the form on a page that leads to a path. */
  async function formToken(page: string, path: string, cookie: string): Promise<string> {
    const { body } = await ask(`GET ${page}`, [cookie]);
    const pattern = new RegExp(`action="/console/${path}"[^>]*>\\s*<input type="hidden" name="form" value="([^"]+)"`);
    const [, token] = pattern.exec(body) ?? [];
    if (token === undefined) throw new Error(`${page} has no form for ${path}: ${body}`);
    return token;
  }

  /** A client of an account that has authenticated. */
  async function clientOf(username: string): Promise<TestClient> {
    const ca = await readFile(server.developmentAuthority ?? '');
    const tls = { ca, servername: 'localhost', ALPNProtocols: ['xmpp-client'] };
    const tlsPort = server.addresses.c2sTls[0]?.port ?? 0;
    const client = await TestClient.connect({ host: '127.0.0.1', port: tlsPort, tls }, 'localhost');
    await client.opens();
    await client.authenticates({ username, password: `a secret of ${username}` });
    return client;
  }

  const account = `/console/account?jid=${encodeURIComponent(jid)}`;
  const exists = async () => (await server.administration.call(listUsers, { limit: 10 })).users.includes(jid);
  const isSuspended = async () => (await server.administration.call(listSuspensions, {})).suspensions.length > 0;

  describe('a link', () => {
    it('shows a button, and is used up by the button alone', async () => {
      const path = await linkFor('operator');
      for (let time = 0; time < 3; time++) expect((await ask(`GET ${path}`)).body).to.contain('<button');
      expect((await ask(`POST ${path}`, own, { x: '' })).status).to.equal(303);
      expect((await ask(`GET ${path}`)).status).to.equal(404);
    });

    it('does not work again (replay)', async () => {
      const path = await linkFor('operator');
      await ask(`POST ${path}`, own, { x: '' });
      const { status, head } = await ask(`POST ${path}`, own, { x: '' });
      expect(status).to.equal(404);
      expect(head).not.to.match(/set-cookie/i);
    });

    it('looks the same, once used, as one that never was', async () => {
      const path = await linkFor('operator');
      await ask(`POST ${path}`, own, { x: '' });
      const used = await ask(`GET ${path}`);
      const unknown = await ask(`GET /console/login/${'A'.repeat(43)}`);
      expect([used.status, used.body]).to.deep.equal([unknown.status, unknown.body]);
    });

    it('works for five minutes', async () => {
      const path = await linkFor('operator');
      clock.advance(5 * 60_000);
      expect((await ask(`POST ${path}`, own, { x: '' })).status).to.equal(404);
    });

    it('is not used up by a page of another site', async () => {
      const path = await linkFor('operator');
      expect((await ask(`POST ${path}`, ['Sec-Fetch-Site: cross-site'], { x: '' })).status).to.equal(403);
      expect((await ask(`POST ${path}`, own, { x: '' })).status).to.equal(303);
    });

    it('gives a token of its own, whatever token the browser had (fixation)', async () => {
      const planted = 'ampere=planted-by-an-attacker';
      const cookie = await cookieOf('operator', [`Cookie: ${planted}`]);
      expect(cookie).not.to.contain('planted');
      expect((await ask('GET /console', [`Cookie: ${planted}`])).status).to.equal(403);
      expect((await ask('GET /console', [cookie])).status).to.equal(200);
    });

    it('ends the login that the browser had', async () => {
      const before = await cookieOf();
      await cookieOf('operator', [before]);
      expect((await ask('GET /console', [before])).status).to.equal(403);
    });

    it('logs in once, if two ask at the same time (race)', async () => {
      const path = await linkFor('operator');
      const answers = await Promise.all([1, 2, 3].map(() => ask(`POST ${path}`, own, { x: '' })));
      expect(answers.map(({ status }) => status).toSorted()).to.deep.equal([303, 404, 404]);
    });

    it('comes from an ad-hoc command of an administrator, too', async () => {
      const escalus = await clientOf('escalus');
      await escalus.binds();
      const command = '<command xmlns="http://jabber.org/protocol/commands" node="urn:ampere:console#open"/>';
      const { raw } = await escalus.asks(`<iq type="set" to="localhost">${command}</iq>`);
      escalus.disconnects();
      const [, path = ''] = /http:\/\/localhost:\d+(\/console\/login\/[\w-]+)/.exec(raw) ?? [];
      expect((await ask(`POST ${path}`, own, { x: '' })).status, raw).to.equal(303);
      const { administrations } = await server.administration.call(listAdministrations, { limit: 1 });
      expect(administrations[0]).to.include({ operator: 'escalus@localhost', operation: 'POST /console/login' });
    });

    it('appears in no log', async () => {
      const path = await linkFor('operator');
      await ask(`GET ${path}`);
      await ask(`POST ${path}`, own, { x: '' });
      expect(log.lines.filter((line) => line.includes(path.split('/').at(-1) ?? ''))).to.deep.equal([]);
    });
  });

  describe('a login', () => {
    it('is needed for every page and every form', async () => {
      const paths = ['', '/accounts', '/account?jid=a', '/history', '/watch/stream', '/nowhere'];
      for (const path of paths) expect((await ask(`GET /console${path}`)).status, path).to.equal(403);
      expect((await ask('POST /console/account/suspend', own, { jid })).status).to.equal(403);
    });

    it('has a cookie that scripts and other sites do not see', async () => {
      const { head } = await ask(`POST ${await linkFor('operator')}`, own, { x: '' });
      expect(head).to.match(/set-cookie: ampere=[\w-]{43}; Path=\/console; HttpOnly; SameSite=Strict; Max-Age=43200/i);
    });

    it('ends when its person is idle, and its old cookie is worth nothing', async () => {
      const cookie = await cookieOf();
      clock.advance(20 * 60_000);
      expect((await ask('GET /console/accounts', [cookie])).status).to.equal(200);
      clock.advance(20 * 60_000);
      // An open page asks for its figures by itself.
      expect((await ask('GET /console/history?span=hour', [cookie])).status).to.equal(200);
      clock.advance(10 * 60_000);
      expect((await ask('GET /console/accounts', [cookie])).status).to.equal(403);
    });

    it('ends when its person logs out', async () => {
      const cookie = await cookieOf();
      const form = await formToken('/console', 'me/logout', cookie);
      const { status, head } = await ask('POST /console/me/logout', [cookie, ...own], { form });
      expect(status).to.equal(200);
      expect(head).to.match(/set-cookie: ampere=;.*Max-Age=0/i);
      expect((await ask('GET /console', [cookie])).status).to.equal(403);
    });
  });

  describe('a form', () => {
    let cookie: string;
    let form: string;

    beforeEach(async () => {
      cookie = await cookieOf();
      form = await formToken(account, 'account/suspend', cookie);
    });

    const refused: readonly (readonly [what: string, headers: readonly string[], fields: Fields | undefined])[] = [
      ['of a page of another site', ['Sec-Fetch-Site: cross-site'], undefined],
      ['of another port of this machine', ['Sec-Fetch-Site: same-site'], undefined],
      ['with a foreign origin', ['Origin: https://attacker.example'], undefined],
      ['with an opaque origin', ['Origin: null'], undefined],
      ['of nobody knows where', [], undefined],
      ['without its token', own, { jid }],
      ['with the token of no form', own, { jid, form: 'A'.repeat(43) }],
    ];
    for (const [what, headers, fields] of refused) {
      it(`${what} is refused`, async () => {
        const { status } = await ask('POST /console/account/suspend', [cookie, ...headers], fields ?? { jid, form });
        expect(status).to.equal(403);
        expect(await isSuspended()).to.equal(false);
      });
    }

    it('with the token of another form is refused', async () => {
      const { status } = await ask('POST /console/account/remove', [cookie, ...own], { jid, confirm: jid, form });
      expect(status).to.equal(403);
      expect(await exists()).to.equal(true);
    });

    it('with the token of another login is refused', async () => {
      const other = await cookieOf();
      expect((await ask('POST /console/account/suspend', [other, ...own], { jid, form })).status).to.equal(403);
    });

    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json']) {
      it(`as ${type} is refused`, async () => {
        const body = `jid=${encodeURIComponent(jid)}&form=${form}`;
        const headers = [cookie, ...own, `Content-Type: ${type}`];
        expect(await exchange(port, 'POST /console/account/suspend', body, headers)).to.match(/^HTTP\/1\.1 415 /);
        expect(await isSuspended()).to.equal(false);
      });
    }

    it('writes no header of its own', async () => {
      const fields = { jid: 'a@b\r\nSet-Cookie: a=b', form };
      const { status, head } = await ask('POST /console/account/suspend', [cookie, ...own], fields);
      expect(status).to.equal(303);
      expect(head).to.not.match(/^set-cookie/im);
      expect(/location: (.*)/i.exec(head)?.[1]).to.match(/^\/console\/account\?jid=[^\s]+$/);
    });

    it('changes nothing as a GET', async () => {
      const query = new URLSearchParams({ jid, form });
      expect((await ask(`GET /console/account/suspend?${query}`, [cookie, ...own])).status).to.equal(405);
      expect((await ask(`HEAD /console/account/suspend?${query}`, [cookie, ...own])).status).to.equal(405);
      expect(await isSuspended()).to.equal(false);
    });

    it('of an older browser is known by its origin', async () => {
      const fields = { jid, form, reason: 'to find out' };
      const { status, head } = await ask('POST /console/account/suspend', [cookie, 'Origin: http://localhost'], fields);
      expect([status, /location: (.*)/i.exec(head)?.[1]]).to.deep.equal([303, account]);
      expect(await isSuspended()).to.equal(true);
      expect((await ask(`GET ${account}`, [cookie])).body)
        .to.contain('is suspended')
        .and.to.contain('to find out');
      const resume = await formToken(account, 'account/resume', cookie);
      await ask('POST /console/account/resume', [cookie, ...own], { jid, form: resume });
      expect(await isSuspended()).to.equal(false);
    });

    it('that cannot be taken back must be confirmed', async () => {
      const token = await formToken(account, 'account/remove', cookie);
      await ask('POST /console/account/remove', [cookie, ...own], { jid, confirm: 'yes', form: token });
      expect(await exists()).to.equal(true);
      expect((await ask('GET /console/accounts', [cookie])).body).to.contain('Nothing was done');
    });

    it('is recorded, with its person and the way', async () => {
      await ask('POST /console/account/suspend', [cookie, ...own], { jid, form });
      const { administrations } = await server.administration.call(listAdministrations, { limit: 1 });
      expect(administrations[0]).to.include({
        operator: 'mercutio',
        origin: 'console, operator, 127.0.0.1',
        operation: 'PUT /suspensions',
        subject: jid,
        result: 'done',
      });
      const resume = await formToken(account, 'account/resume', cookie);
      await ask('POST /console/account/resume', [cookie, ...own], { jid, form: resume });
    });

    it('that is too long is refused', async () => {
      const { status } = await ask('POST /console/account/suspend', [cookie, ...own], {
        form,
        jid: 'x'.repeat(70_000),
      });
      expect(status).to.equal(413);
    });
  });

  describe('an observer', () => {
    it('sees pages without forms for changes', async () => {
      const cookie = await cookieOf('observer');
      const { status, body } = await ask(`GET ${account}`, [cookie]);
      expect(status).to.equal(200);
      const forms = [...body.matchAll(/<form method="post" action="([^"]+)"/g)].map(([, path]) => path);
      expect(new Set(forms)).to.deep.equal(new Set(['/console/me/logout']));
    });

    it('cannot send a form, even with a token that fits', async () => {
      const cookie = await cookieOf('observer');
      const end = await formToken('/console', 'me/logout', cookie);
      expect((await ask('POST /console/account/suspend', [cookie, ...own], { jid, form: end })).status).to.equal(403);
      expect(await isSuspended()).to.equal(false);
    });

    it('cannot watch, read reports or make links', async () => {
      const cookie = await cookieOf('observer');
      expect((await ask('GET /console/watch', [cookie])).status).to.equal(403);
      expect((await ask('GET /console/watch/stream', [cookie])).status).to.equal(403);
      expect((await ask('GET /console/report?id=1', [cookie])).status).to.equal(403);
      const form = await formToken('/console', 'me/logout', cookie);
      expect((await ask('POST /console/console/links', [cookie, ...own], { form })).status).to.equal(403);
    });
  });

  describe('a page', () => {
    it('allows no content from elsewhere, no inline script and no frame', async () => {
      const { head } = await ask('GET /console', [await cookieOf()]);
      const policy = /content-security-policy: (.*)/i.exec(head)?.[1] ?? '';
      for (const part of [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ]) {
        expect(policy).to.contain(part);
      }
      expect(policy).not.to.match(/unsafe|\*|https?:/);
      expect(head).to.match(/cache-control: no-store/i);
      expect(head).to.match(/cross-origin-resource-policy: same-origin/i);
    });

    it('is in no frame, and neither is any other answer', async () => {
      const cookie = await cookieOf();
      const paths = ['', '/accounts', '/nowhere', '/history?span=hour', '/login/none', '/watch/stream?jid=a@@b'];
      for (const path of paths) {
        for (const headers of [[], [cookie]]) {
          const { head } = await ask(`GET /console${path}`, headers);
          expect(head, path).to.match(/content-security-policy: .*frame-ancestors 'none'/i);
          expect(head, path).to.match(/x-content-type-options: nosniff/i);
        }
      }
    });

    it('is no part of a page of another port of this machine, which sends the cookie', async () => {
      const cookie = [await cookieOf(), 'Sec-Fetch-Site: same-site'];
      const part = ['Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: image'];
      for (const path of ['', '/report?id=1', '/history?span=hour'])
        expect((await ask(`GET /console${path}`, [...cookie, ...part])).status, path).to.equal(403);
      const link = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'];
      expect((await ask('GET /console', [...cookie, ...link])).status).to.equal(200);
    });

    for (const path of [
      '/console/',
      '//console',
      '/CONSOLE',
      '/console//accounts',
      '/console/./accounts',
      '/console/x/../accounts',
      '/console/%61ccounts',
      '/console/accounts/',
      '/console/accounts%2f',
      '/console/login',
      '/console/constructor',
    ]) {
      it(`has no other path, such as ${path}`, async () => {
        expect((await ask(`GET ${path}`, [await cookieOf()])).status).to.be.oneOf([404, 405]);
      });
    }

    it('escapes what it is asked for', async () => {
      const query = new URLSearchParams({ containing: '"><script>alert(1)</script>' });
      const { body } = await ask(`GET /console/accounts?${query}`, [await cookieOf()]);
      expect(body).to.contain('&lt;script&gt;').and.not.to.contain('<script>alert');
    });

    it('that is not there is not found', async () => {
      const cookie = await cookieOf();
      expect((await ask('GET /console/nowhere', [cookie])).status).to.equal(404);
      expect((await ask('GET /console/__proto__', [cookie])).status).to.equal(404);
      expect((await ask('GET /console/account?jid=nobody%40elsewhere', [cookie])).status).to.equal(404);
    });
  });

  describe('what users have written', () => {
    const evil = '"><img src=x onerror=alert(1)>';
    const written = evil.replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    const room = 'hall@conference.localhost';

    /** Writes markup wherever users and operators can write a text. */
    async function writesEverywhere(cookie: string): Promise<void> {
      const romeo = await clientOf('romeo');
      romeo.sends(
        `<iq type="set" id="b"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>${written}</resource></bind></iq>`,
      );
      await romeo.receives('<iq type="result" id="b">...</iq>');
      romeo.sends(
        `<presence to='${room}/${written}'><x xmlns="http://jabber.org/protocol/muc"/></presence>`,
        `<iq type="set" id="r" to="${room}"><query xmlns="http://jabber.org/protocol/muc#owner"><x xmlns="jabber:x:data" type="submit">` +
          `<field var="FORM_TYPE"><value>http://jabber.org/protocol/muc#roomconfig</value></field>` +
          `<field var="muc#roomconfig_roomname"><value>${written}</value></field></x></query></iq>`,
        `<iq type="set" id="s"><block xmlns="urn:xmpp:blocking"><item jid="spam@example.net"><report xmlns="urn:xmpp:reporting:1" reason="urn:xmpp:reporting:spam">` +
          `<text>${written}</text></report></item></block></iq>`,
      );
      const done = await romeo.drains();
      expect(done.filter(({ raw }) => raw.includes('type="error"')).map(({ raw }) => raw)).to.deep.equal([]);
      await server.administration.call(suspendUser, { jid: 'escalus@localhost', reason: evil });
      await server.administration.call(blockDomain, { domain: 'bad.example', reason: evil });
      const form = await formToken('/console/announcements', 'announcements/set', cookie);
      const notice = { domain: 'localhost', kind: 'online', text: evil, form };
      expect((await ask('POST /console/announcements/set', [cookie, ...own], notice)).status).to.equal(303);
    }

    it('is text on every page', async () => {
      const { url } = await server.administration.call(newConsoleLink, { operator: evil, role: 'operator' });
      const { head } = await ask(`POST ${new URL(url).pathname}`, own, { x: '' });
      const cookie = `Cookie: ${/set-cookie: ([^;]+)/i.exec(head)?.[1]}`;
      await writesEverywhere(cookie);
      const showing = ['sessions', 'rooms', `room?room=${room}`, 'report?id=1', 'servers', 'announcements', 'audit'];
      const more = ['', 'accounts', `account?jid=${jid}`, 'account?jid=escalus@localhost', 'reports', 'storage'];
      for (const page of [...showing, ...more]) {
        const { status, body } = await ask(`GET /console/${page}`.replace(/\/$/, ''), [cookie]);
        expect(status, page).to.equal(200);
        expect(body, page).to.not.contain('<img src=x');
        const [, content = ''] = body.split('<main');
        if (showing.includes(page)) expect(content, page).to.contain('&lt;img src=x');
      }
    });
  });

  describe('the watch', () => {
    it('tells nothing more once its person has logged out', async () => {
      const cookie = await cookieOf();
      const form = await formToken('/console', 'me/logout', cookie);
      const socket = connect(port, '127.0.0.1');
      socket.write(requestText('GET /console/watch/stream?kind=log', [cookie, ...own, 'Connection: close']));
      await readUntil(socket, ': watching');
      const rest = readUntil(socket, 'your login has ended');
      await ask('POST /console/me/logout', [cookie, ...own], { form });
      log.info({ jid }, 'something secret happened');
      expect(await rest).to.not.contain('something secret');
      socket.destroy();
    });

    it('shows a line of the log as an event', async () => {
      const cookie = await cookieOf();
      const socket = connect(port, '127.0.0.1');
      socket.write(requestText('GET /console/watch/stream?kind=log', [cookie, ...own]));
      await readUntil(socket, ': watching');
      log.info({ jid }, 'something happened');
      expect(await readUntil(socket, 'something happened')).to.contain('data: {"what":"log"');
      socket.destroy();
    });

    it('says why it cannot begin', async () => {
      const { status, body } = await ask('GET /console/watch/stream?jid=a@@b', [await cookieOf(), ...own]);
      expect(status).to.equal(200);
      expect(body).to.match(/^data: {"what":"end","reason":".*is not an address/);
    });

    it('is not opened by a page of another site', async () => {
      const cookie = await cookieOf();
      const { status } = await ask('GET /console/watch/stream', [cookie, 'Sec-Fetch-Site: same-site']);
      expect(status).to.equal(403);
    });
  });
});
