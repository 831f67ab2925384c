import { expect } from 'chai';
import { BoshClient, type BoshReply, post } from '../support/bosh-client.ts';
import { type Account, befriend, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { WebSocketClient } from '../support/websocket-client.ts';
import { exchange } from '../web/http/raw-http.ts';

const sm = 'urn:xmpp:sm:3';
const boshNs = 'http://jabber.org/protocol/httpbind';
const here = [{ host: '127.0.0.1', port: 0 }];
const settings = {
  listen: { c2s: here, c2sTls: here, components: [], http: here, https: here },
  web: { origins: ['https://chat.example'], trustedProxies: ['127.0.0.1'] },
  s2s: { enabled: false },
  authentication: { scramIterations: 4096 },
  storage: { quickCheck: false, ballastBytes: 0 },
  // Sessions whose client has gone silently keep the server from stopping.
  shutdown: { drainSeconds: 1 },
};
const end = (condition: string) => `<body xmlns="${boshNs}" type="terminate" condition="${condition}"/>`;
const ping = (id: string) => `<iq xmlns="jabber:client" id="${id}" type="get"><ping xmlns="urn:xmpp:ping"/></iq>`;
const textOf = ({ text }: BoshReply) => text;

describe('Clients through BOSH (XEP-0124, XEP-0206)', () => {
  const stage = new Stage({ settings });
  let romeo: Account;
  let juliet: Account;

  beforeEach(async () => {
    romeo = await stage.account('romeo');
    juliet = await stage.account('juliet');
  });

  async function visits(account: Account, resource = 'web'): Promise<BoshClient> {
    const client = new BoshClient(stage.server);
    await client.online(account.jid, account.password, resource);
    return client;
  }

  it('get the terms and the features with the first answer, and neither STARTTLS nor channel bindings', async () => {
    const client = new BoshClient(stage.server);
    const { headers, body, text } = await client.opens('ack="1" content="text/plain"');
    expect(client.sid).to.match(/^[\w-]{22}$/);
    expect(Object.fromEntries(body.attributes)).to.include({
      wait: '60',
      hold: '1',
      requests: '2',
      inactivity: '60',
      polling: '5',
      maxpause: '120',
      ver: '1.6',
      from: 'localhost',
      ack: '1573741820',
      'xmpp:restartlogic': 'true',
    });
    expect(text).to.contain('<stream:features').and.contain('SCRAM-SHA-256').and.not.contain('-PLUS');
    expect(text).to.not.contain('xmpp-tls');
    expect(headers).to.include({ 'content-type': 'text/plain', 'x-content-type-options': 'nosniff' });
    expect(headers).to.not.have.property('content-encoding');
    expect(headers['content-length']).to.equal(String(text.length));
  });

  it('never get a content type that a browser runs', async () => {
    const client = new BoshClient(stage.server);
    const { headers } = await client.opens('content="text/html; charset=utf-8"');
    expect(headers['content-type']).to.equal('text/xml; charset=utf-8');
  });

  it('chat with clients over TCP; each stanza declares its namespace', async () => {
    const web = await visits(romeo);
    const tcp = await juliet.arrives({ resource: 'tcp' });
    const held = web.says(
      `<message xmlns="jabber:client" type="chat" to="${juliet.jid}"><body>O &#x1f339;</body></message>` +
        `\n  <message type="chat" to="${juliet.jid}"><body>no namespace</body></message>`,
    );
    await tcp.receives(
      `<message type="chat" from="${romeo.jid}/web" to="${juliet.jid}"><body>O \u{1f339}</body></message>`,
    );
    await tcp.receives('<message type="chat"><body>no namespace</body>...</message>');
    tcp.sends(`<message type="chat" to="${romeo.jid}/web"><body>Ay</body></message>`);
    const { body } = await held;
    const [message] = body.children;
    expect([body.ns, message?.ns, message?.children[0]?.ns]).to.deep.equal([boshNs, 'jabber:client', 'jabber:client']);
  });

  it('may declare prefixes on the wrapper', async () => {
    const web = await visits(romeo);
    const tcp = await juliet.arrives();
    void web.says(`<message to="${tcp.jid}"><x:thing xmlns="jabber:client"/></message>`, 'xmlns:x="urn:x"');
    await tcp.receives('<message><thing xmlns="urn:x"/>...</message>');
  });

  it('get a lost answer again, byte for byte, and the server acts once', async () => {
    const web = await visits(romeo);
    const tcp = await juliet.arrives();
    const rid = web.rid++;
    const first = await web.sends(rid, ping('p1'));
    const again = await web.sends(rid, ping('p1'));
    expect(again.text).to.equal(first.text).and.contain('id="p1"');
    const next = web.rid++;
    const text = `<message xmlns="jabber:client" type="chat" to="${tcp.jid}"><body>once</body></message>${ping('p2')}`;
    const answers = [await web.sends(next, text), await web.sends(next, text), await web.sends(next, text)];
    expect(new Set(answers.map(textOf)).size).to.equal(1);
    await tcp.receives('<message type="chat"><body>once</body>...</message>');
    await tcp.receivesNothing();
  });

  it('get what was said when their held request was lost, by the same request', async () => {
    const web = await visits(romeo);
    const tcp = await juliet.arrives();
    const leaving = new AbortController();
    const rid = web.rid++;
    const lost = web.sends(rid, ping('p3'), '', { signal: leaving.signal }).catch(() => undefined);
    await lost;
    const held = web.rid++;
    const aborted = web.sends(held, '', '', { signal: leaving.signal }).catch(() => 'aborted');
    leaving.abort();
    expect(await aborted).to.equal('aborted');
    tcp.sends(`<message type="chat" to="${romeo.jid}/web"><body>still there?</body></message>`);
    await tcp.settles();
    expect((await web.sends(held, '')).text).to.contain('still there?');
  });

  it('are heard in the order of their requests, whatever order they come in', async () => {
    const web = await visits(romeo);
    const tcp = await juliet.arrives();
    const say = (id: string) => `<message xmlns="jabber:client" to="${tcp.jid}" id="${id}"><body/></message>`;
    const rid = web.rid;
    // One of two equal requests is given up, which shows that they have come.
    const early = [web.sends(rid + 1, say('two')), web.sends(rid + 1, say('two'))];
    expect((await Promise.race(early)).text).to.equal(`<body xmlns="${boshNs}" type="error"/>`);
    const late = web.sends(rid, say('one'));
    await tcp.receives('<message id="one">...</message>');
    await tcp.receives('<message id="two">...</message>');
    expect((await late).text).to.equal(`<body xmlns="${boshNs}"/>`);
    tcp.sends(`<message type="chat" to="${romeo.jid}/web"><body>Ay</body></message>`);
    expect((await Promise.all(early)).map(textOf).join()).to.contain('Ay');
  });

  it('lose the session with an id that cannot be, and only that', async () => {
    const [web, other] = [await visits(romeo), await visits(juliet)];
    expect((await web.sends(web.rid + 5, '')).text).to.equal(end('item-not-found'));
    expect((await web.says('')).text).to.equal(end('item-not-found'));
    const stranger = new BoshClient(stage.server);
    stranger.sid = 'unknown';
    expect((await stranger.says('')).text).to.equal(end('item-not-found'));
    expect((await other.says(ping('p'))).text).to.contain('id="p"');
  });

  it('leave with all they still have to say (XEP-0124 §13)', async () => {
    const web = await visits(romeo);
    const tcp = await juliet.arrives();
    await web.says(`<presence xmlns="jabber:client" to="${tcp.jid}"/>${ping('p')}`);
    await tcp.receives('<presence>...</presence>');
    const held = web.says('');
    const last = web.says(
      `<presence xmlns="jabber:client" type="unavailable"><status>bye</status></presence>`,
      'type="terminate"',
    );
    expect((await last).text).to.equal(`<body xmlns="${boshNs}" type="terminate"/>`);
    expect((await held).text).to.match(/^<body xmlns="[^"]*"(?:\/>| xmlns:stream)/);
    await tcp.receives('<presence type="unavailable"><status>bye</status>...</presence>');
  });

  it('resume a session that began over TCP, and the other way round', async () => {
    const tcp = await romeo.arrives({ resource: 'phone' });
    tcp.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const token = (await tcp.receives(`<enabled xmlns="${sm}">...</enabled>`)).attributes.get('id') ?? '';
    tcp.connection.destroy();
    const sender = await juliet.arrives();
    sender.sends(`<message type="chat" to="${romeo.jid}/phone" id="m"><body>wait</body></message>`);
    await sender.settles();

    const web = new BoshClient(stage.server);
    await web.opens();
    await web.authenticates(romeo.jid, romeo.password);
    const { text } = await web.says(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
    expect(text).to.match(/<resumed .*<message xmlns="jabber:client" .*<body>wait<\/body>/);
    // As a client that has crashed.
    await web.sends(web.rid + 9, '');

    const back = await stage.client('localhost');
    await back.opens();
    await back.authenticates({ username: romeo.local, password: romeo.password });
    back.sends(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
    await back.receives(`<resumed xmlns="${sm}">...</resumed>`);
    await back.receives('<message id="m">...</message>');
  });

  it('get all that comes in order, however much', async () => {
    const web = await visits(romeo);
    const sender = await juliet.arrives();
    const body = 'x'.repeat(2000);
    for (let number = 0; number < 300; number++)
      sender.sends(`<message type="chat" to="${romeo.jid}/web" id="${number}"><body>${body}</body></message>`);
    await sender.settles();
    const seen: (string | undefined)[] = [];
    while (seen.length < 300) {
      for (const { attributes } of (await web.says('')).body.children) seen.push(attributes.get('id'));
    }
    expect(seen).to.deep.equal(Array.from({ length: 300 }, (_, number) => String(number)));
  });

  it('are told of a wrong domain, and of one that is missing', async () => {
    const client = new BoshClient(stage.server);
    expect((await client.says('', 'to="mantua.example" ver="1.6"')).body.attributes.get('condition')).to.equal(
      'host-unknown',
    );
    const other = new BoshClient(stage.server);
    const reply = await other.says('', 'ver="1.6"');
    expect(reply.body.attributes.get('condition')).to.equal('improper-addressing');
    expect(reply.body.attributes.get('type')).to.equal('terminate');
  });

  it('are told what is wrong with their XML, and nothing of the request counts', async () => {
    const web = await visits(romeo);
    const tcp = await juliet.arrives();
    const { text } = await web.says(`<message xmlns="jabber:client" to="${tcp.jid}"><body/></message><half`);
    expect(text).to.match(/type="terminate" condition="remote-stream-error".*<stream:error.*<not-well-formed/);
    await tcp.receivesNothing();
    expect((await web.says('')).text).to.equal(end('item-not-found'));
  });

  for (const [what, body] of [
    ['is no XML', 'hello'],
    ['is another element', '<message xmlns="jabber:client"/>'],
    ['has no id', `<body xmlns="${boshNs}"/>`],
    ['has an id that is no number', `<body xmlns="${boshNs}" rid="1e9"/>`],
    ['is empty', ''],
  ] as const) {
    it(`get bad-request for a body that ${what}`, async () => {
      const { status, text } = await post(stage.server, body);
      expect([status, text]).to.deep.equal([200, end('bad-request')]);
    });
  }

  it('may send an XML declaration, and any content type', async () => {
    const body = `<?xml version="1.0" encoding="utf-8"?>\n<body xmlns="${boshNs}" rid="7" to="localhost"/>\n`;
    const { text } = await post(stage.server, body, { headers: { 'content-type': 'text/plain' } });
    expect(text).to.contain('<stream:features');
  });

  it('may send large requests only when they have authenticated', async () => {
    const large = `<message xmlns="jabber:client" to="${romeo.jid}"><body>${'x'.repeat(100_000)}</body></message>`;
    const stranger = new BoshClient(stage.server);
    await stranger.opens();
    expect((await stranger.says(large)).status).to.equal(413);
    const web = await visits(romeo);
    expect((await web.says(large)).text).to.contain('xxx');
    expect((await web.says(large.repeat(6))).status).to.equal(413);
  });

  it('may come from pages of the origins in the configuration, and from no others', async () => {
    const from = (origin: string) => new BoshClient(stage.server, { headers: { origin } }).opens();
    const { status, headers } = await from('https://chat.example');
    expect([status, headers['access-control-allow-origin']]).to.deep.equal([200, 'https://chat.example']);
    expect((await from('https://evil.example')).status).to.equal(403);
  });

  it('learn from a preflight request what they may send', async () => {
    const { port } = stage.server.http ?? { port: 0 };
    const answer = await exchange(port, 'OPTIONS /http-bind', '', ['Origin: https://chat.example']);
    expect(answer)
      .to.match(/^HTTP\/1\.1 204 /)
      .and.match(/access-control-allow-origin: https:\/\/chat\.example\r/)
      .and.match(/access-control-allow-methods: POST, OPTIONS\r/)
      .and.match(/access-control-allow-headers: Content-Type/)
      .and.match(/access-control-max-age: 86400/);
  });

  it('may authenticate behind a trusted proxy that says it has TLS, and not otherwise', async () => {
    const proxied = (proto: string) =>
      new BoshClient(stage.server, {
        plain: true,
        headers: { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': proto },
      });
    const [secure, plain] = [proxied('https'), proxied('http')];
    expect((await secure.opens()).text).to.contain('SCRAM-SHA-256');
    expect((await plain.opens()).text).to.not.contain('SCRAM-SHA-256');
    // A request without TLS for a session with TLS has no effect on it.
    plain.sid = secure.sid;
    expect((await plain.says('', 'type="terminate"')).status).to.equal(403);
    await secure.authenticates(romeo.jid, romeo.password);
  });

  it('are told that the server stops, and come back', async () => {
    const web = await visits(romeo);
    const held = await web.holds();
    const restarted = stage.server.restart();
    const { body, text } = await held();
    expect([body.attributes.get('type'), body.attributes.get('condition')]).to.deep.equal([
      'terminate',
      'system-shutdown',
    ]);
    expect(text).to.contain('<system-shutdown');
    await restarted;
    await visits(romeo);
  });
});

describe('Clients in a browser on the same machine, without TLS', () => {
  const stage = new Stage({ settings: { ...settings, web: {} } });

  it('may authenticate through BOSH as through a WebSocket', async () => {
    const romeo = await stage.account('romeo');
    const bosh = new BoshClient(stage.server, { plain: true });
    await bosh.online(romeo.jid, romeo.password);
    const webSocket = await WebSocketClient.connect(stage.server, { plain: true });
    expect(await webSocket.opens('localhost')).to.contain('SCRAM-SHA-256');
  });

  it('may not if a proxy forwards them', async () => {
    const options = { plain: true, headers: { 'x-forwarded-proto': 'https' } };
    expect((await new BoshClient(stage.server, options).opens()).text).to.not.contain('SCRAM-SHA-256');
    const webSocket = await WebSocketClient.connect(stage.server, options);
    expect(await webSocket.opens('localhost')).to.not.contain('SCRAM-SHA-256');
  });
});

describe('The time limits of clients through BOSH', () => {
  const clock = new ManualClock();
  const stage = new Stage({ settings, clock });

  async function passes(seconds: number): Promise<void> {
    for (let left = seconds; left > 0; left--) {
      await new Promise(setImmediate);
      await clock.advance(1000);
    }
  }

  it('end a session that does not authenticate', async () => {
    const client = new BoshClient(stage.server);
    await client.opens();
    const held = await client.holds();
    await passes(62);
    expect((await held()).text).to.match(/type="terminate".*<connection-timeout/);
  });

  it('end a session without requests, and its user goes offline', async () => {
    const [romeo, juliet] = [await stage.account('romeo'), await stage.account('juliet')];
    const friend = await juliet.arrives();
    const tcp = await romeo.arrives();
    await befriend(tcp, friend);
    const web = new BoshClient(stage.server);
    await web.online(romeo.jid, romeo.password);
    await friend.receives(`<presence from="${romeo.jid}/web">...</presence>`);
    await passes(62);
    await friend.receives(`<presence from="${romeo.jid}/web" type="unavailable">...</presence>`);
  });
});

describe('The number of clients through BOSH', () => {
  const limits = { connections: { perIpConcurrent: 4 } };
  const stage = new Stage({ settings: { ...settings, limits } });

  it('is limited by their address', async () => {
    const options = { plain: true, headers: { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' } };
    const replies: BoshReply[] = [];
    for (let count = 0; count < 5; count++) replies.push(await new BoshClient(stage.server, options).opens());
    expect(replies.slice(0, 4).every(({ body }) => body.attributes.has('sid'))).to.equal(true);
    expect(replies[4]?.text).to.match(/type="terminate" condition="remote-stream-error".*<resource-constraint/);
  });
});
