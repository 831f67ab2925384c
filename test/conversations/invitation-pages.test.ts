import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';
import { exchange } from '../web/http/raw-http.ts';

const here = [{ host: '127.0.0.1', port: 0 }];
const password = 'a long password';
const own = ['Content-Type: application/x-www-form-urlencoded', 'Sec-Fetch-Site: same-origin'];
let made = 0;

const newName = () => `visitor${++made}`;

/** The status of an answer, and its first heading. */
const seen = (answer: string) => {
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
  const [, title] = /<h1>([^<]*)<\/h1>/.exec(answer) ?? [];
  return [Number(status), title];
};

describe('The pages of invitations', () => {
  const stage = new Stage({
    settings: { listen: { c2s: here, c2sTls: here, http: here }, administrators: ['escalus@localhost'] },
  });
  let escalus: TestClient;

  before(() => stage.server.addUser('escalus@localhost', password));
  beforeEach(async () => {
    escalus = await loggedIn('escalus', password);
  });

  async function loggedIn(username: string, secret: string): Promise<TestClient> {
    const client = await stage.client();
    await client.opens();
    await client.authenticates({ username, password: secret });
    await client.binds();
    return client;
  }

  const ask = (method: string, path: string, form: Readonly<Record<string, string>> = {}, headers = own) => {
    const body = new URLSearchParams(form).toString();
    const { port = 0 } = stage.server.http ?? {};
    return exchange(port, `${method} ${path}`, method === 'POST' ? body : '', method === 'POST' ? headers : []);
  };

  async function token(client: TestClient, command = 'invite', fields: Readonly<Record<string, string>> = {}) {
    const written = Object.entries(fields).map(
      ([name, value]) => `<field var="${name}"><value>${value}</value></field>`,
    );
    const form = `<x xmlns="jabber:x:data" type="submit">${written.join('')}</x>`;
    const { raw } = await client.asks(
      `<iq type="set" to="localhost"><command xmlns="http://jabber.org/protocol/commands" node="urn:xmpp:invite#${command}" action="execute">${command === 'invite' ? '' : form}</command></iq>`,
    );
    return /preauth=(\w+)/.exec(raw)?.[1] ?? '';
  }

  const filled = (username: string) => ({ username, password, again: password });

  it('say who invites, and register an account that logs in', async () => {
    const inviter = await (await stage.account('juliet')).arrives({ roster: true });
    const path = `/invite/${await token(inviter)}`;
    const page = await ask('GET', path);
    expect(seen(page)).to.deep.equal([200, `${inviter.bare} invites you to chat`]);
    expect(page).to.include(`href="xmpp:${inviter.bare}?roster;preauth=`);
    const username = newName();
    const answer = await ask('POST', path, filled(username));
    expect(seen(answer)).to.deep.equal([200, 'Your account is ready']);
    expect(answer).to.include(`>${username}@localhost</code>`);
    await inviter.receives(
      `<iq type="set"><query xmlns="jabber:iq:roster"><item jid="${username}@localhost" subscription="both"/></query></iq>`,
    );
    await loggedIn(username, password);
  });

  it('use nothing when they are looked at, and nothing for a form with a fault', async () => {
    const path = `/invite/${await token(escalus)}`;
    for (let times = 0; times < 5; times++) expect((await ask('GET', path)).slice(0, 12)).to.equal('HTTP/1.1 200');
    await ask('HEAD', path);
    for (const [form, status, says] of [
      [{ ...filled('romeo'), again: 'another one' }, 422, 'The two passwords differ.'],
      [{ username: 'romeo', password: 'short', again: 'short' }, 422, 'at least 8 characters'],
      [filled(''), 422, 'This user name is not possible.'],
      [filled('a b'), 422, 'This user name is not possible.'],
      [filled('romeo@elsewhere.example'), 422, 'This user name is not possible.'],
      [{}, 422, 'at least 8 characters'],
      [filled('escalus'), 409, 'This user name is taken.'],
    ] as const) {
      const answer = await ask('POST', path, form);
      expect(seen(answer)[0], says).to.equal(status);
      expect(answer).to.include(says);
    }
    expect(seen(await ask('POST', path, filled(`${newName()}@localhost`)))[0]).to.equal(200);
  });

  it('work once, whatever is sent again', async () => {
    const path = `/invite/${await token(escalus)}`;
    const username = newName();
    const answers = await Promise.all(
      [filled(username), filled(newName()), filled(username)].map((form) => ask('POST', path, form)),
    );
    expect(answers.map((answer) => seen(answer)[0]).sort()).to.deep.equal([200, 404, 404]);
    expect(seen(await ask('POST', path, filled(newName())))).to.deep.equal([404, 'This link is not valid']);
    expect(seen(await ask('GET', path))).to.deep.equal([404, 'This link is not valid']);
  });

  it('of tokens that are no invitations look like each other', async () => {
    const used = await token(escalus);
    await ask('POST', `/invite/${used}`, filled(newName()));
    const answers = [used, 'v'.repeat(32), 'x', '..', '%00', '%3Cscript%3E', used.toUpperCase()].map((text) =>
      ask('GET', `/invite/${text}`),
    );
    const without = (answer: string) => answer.replace(/^date: .*$/im, '');
    expect(new Set((await Promise.all(answers)).map(without)).size).to.equal(1);
  });

  it('escape what others have chosen', async () => {
    const path = `/invite/${await token(escalus)}`;
    const answer = await ask('POST', path, { ...filled('"><script>alert(1)</script>'), again: '' });
    expect(answer).to.include('value="&quot;&gt;&lt;script&gt;').and.not.include('<script>');
  });

  it('give the name that was chosen for the user, and no other', async () => {
    const username = newName();
    const path = `/invite/${await token(escalus, 'create-account', { username })}`;
    expect(await ask('GET', path)).to.match(new RegExp(`value="${username}"[^>]* readonly`));
    const answer = await ask('POST', path, filled('somebodyelse'));
    expect(answer).to.include(`>${username}@localhost</code>`);
  });

  it('take no form of another site', async () => {
    const path = `/invite/${await token(escalus)}`;
    const foreign = [own[0] ?? '', 'Sec-Fetch-Site: cross-site'];
    expect(seen(await ask('POST', path, filled(newName()), foreign))[0]).to.equal(403);
    expect(seen(await ask('POST', path, filled(newName()), [own[0] ?? '']))[0]).to.equal(403);
  });

  it('are not shown behind a proxy without TLS, nor under another name', async () => {
    const { port = 0 } = stage.server.http ?? {};
    const path = `/invite/${await token(escalus)}`;
    const forwarded = await exchange(port, `GET ${path}`, '', ['X-Forwarded-For: 192.0.2.1']);
    expect(seen(forwarded)[0]).to.equal(403);
  });

  it('are kept by nobody, and run only the module that shows times', async () => {
    const answer = await ask('GET', `/invite/${await token(escalus)}`);
    for (const line of [
      'cache-control: no-store',
      "content-security-policy: default-src 'none'",
      'x-robots-tag: noindex',
    ])
      expect(answer).to.include(line);
    const scripts = '<script type="module" src="/assets/browser/pages/local-times.js"></script>';
    expect(answer.match(/<script.*/g)).to.deep.equal([scripts]);
    expect(answer).to.match(/until <time datetime="[^"]+Z" title="[^"]+">[-\d]+ [:\d]+ UTC<\/time>\./);
  });
});
