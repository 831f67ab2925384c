import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import { WebSocketClient } from '../support/websocket-client.ts';
import { parseTree } from '../support/xml-tree.ts';
import { exchange } from '../web/http/raw-http.ts';

const sm = 'urn:xmpp:sm:3';
const here = [{ host: '127.0.0.1', port: 0 }];
const listen = { c2s: here, c2sTls: here, components: [], http: here, https: here };

describe('Clients through WebSockets (RFC 7395)', () => {
  const stage = new Stage({
    settings: {
      listen,
      web: { origins: ['https://chat.example'], trustedProxies: ['127.0.0.1'] },
      s2s: { enabled: false },
      authentication: { scramIterations: 4096 },
      storage: { quickCheck: false, ballastBytes: 0 },
    },
  });
  let romeo: Account;
  let juliet: Account;

  beforeEach(async () => {
    romeo = await stage.account('romeo');
    juliet = await stage.account('juliet');
  });

  const visits = (account: Account, resource = 'web') =>
    WebSocketClient.online(stage.server, account.jid, account.password, resource);

  it('chat with clients over TCP; each message is a document with its namespaces (RFC 7395 §3.3.3)', async () => {
    const web = await visits(romeo);
    const tcp = await juliet.arrives({ resource: 'tcp' });
    web.says(`<message xmlns="jabber:client" type="chat" to="${juliet.jid}"><body>O &#x1f339;</body></message>`);
    await tcp.receives(
      `<message type="chat" from="${romeo.jid}/web" to="${juliet.jid}"><body>O \u{1f339}</body></message>`,
    );
    tcp.sends(`<message type="chat" to="${romeo.jid}/web"><body>Ay</body></message>`);
    const message = parseTree(await web.hears(/<body>Ay<\/body>/));
    expect([message.ns, message.children.map((child) => (typeof child === 'string' ? '' : child.ns))]).to.deep.equal([
      'jabber:client',
      ['jabber:client', 'urn:xmpp:sid:0'],
    ]);
  });

  it('are offered neither STARTTLS nor mechanisms that bind to the channel (RFC 7395 §3.9)', async () => {
    const web = await WebSocketClient.connect(stage.server);
    const features = await web.opens('localhost');
    expect(features)
      .to.contain('SCRAM-SHA-256')
      .and.contain('PLAIN')
      .and.not.contain('-PLUS')
      .and.not.contain('xmpp-tls');
  });

  it('close with <close/>, and so does the server (RFC 7395 §3.6)', async () => {
    const web = await visits(romeo);
    web.says('<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>');
    const { code, messages } = await web.ends();
    expect([code, messages]).to.deep.equal([1000, ['<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>']]);
  });

  it('resume a session that began over TCP, and the other way round', async () => {
    const tcp = await romeo.arrives({ resource: 'phone' });
    tcp.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const enabled = await tcp.receives(`<enabled xmlns="${sm}">...</enabled>`);
    const token = enabled.attributes.get('id') ?? '';
    tcp.connection.destroy();
    const sender = await juliet.arrives();
    sender.sends(`<message type="chat" to="${romeo.jid}/phone" id="m"><body>wait</body></message>`);
    await sender.settles();

    const web = await WebSocketClient.connect(stage.server);
    await web.authenticates(romeo.jid, romeo.password);
    web.says(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
    await web.hears(/^<resumed /);
    await web.hears(/^<message xmlns="jabber:client" .*<body>wait<\/body>/);
    web.socket.terminate();

    const back = await stage.client('localhost');
    await back.opens();
    await back.authenticates({ username: romeo.local, password: romeo.password });
    back.sends(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
    await back.receives(`<resumed xmlns="${sm}">...</resumed>`);
    await back.receives('<message id="m">...</message>');
  });

  it('get all that one turn says in order, behind a slow reader', async () => {
    const web = await visits(romeo);
    const sender = await juliet.arrives();
    web.socket.pause();
    const body = 'x'.repeat(2000);
    for (let number = 0; number < 300; number++)
      sender.sends(`<message type="chat" to="${romeo.jid}/web" id="${number}"><body>${body}</body></message>`);
    await sender.settles();
    web.socket.resume();
    for (let number = 0; number < 300; number++) await web.hears(new RegExp(`^<message .* id="${number}"`));
  });

  const strangers: readonly (readonly [
    what: string,
    options: Parameters<typeof WebSocketClient.connect>[1],
    status: number,
  ])[] = [
    ['offers no subprotocol', { protocols: [] }, 400],
    ['offers another subprotocol', { protocols: ['chat'] }, 400],
    ['shows a page of another origin', { headers: { origin: 'https://evil.example' } }, 403],
    ['asks for another path', { path: '/xmpp' }, 404],
  ];
  for (const [what, options, status] of strangers) {
    it(`refuses whoever ${what} with ${status}`, async () => {
      const refused = await WebSocketClient.connect(stage.server, options).catch((error: Error) => error.message);
      expect(refused).to.equal(`Unexpected server response: ${status}`);
    });
  }

  it('come from pages of the origins in the configuration, on either path', async () => {
    const headers = { origin: 'https://chat.example' };
    const web = await WebSocketClient.connect(stage.server, { headers, path: '/ws' });
    expect(web.socket.protocol).to.equal('xmpp');
  });

  const faults: readonly (readonly [what: string, send: (client: WebSocketClient) => void, code: number])[] = [
    ['a binary message', ({ socket }) => socket.send(Buffer.from('<a/>')), 1003],
    ['a message that is too long', ({ socket }) => socket.send('x'.repeat(300_000)), 1009],
    ['text that is not UTF-8', ({ socket }) => socket.send(Buffer.from([0x3c, 0xff]), { binary: false }), 1007],
    [
      'a message in very many fragments',
      ({ socket }) => {
        for (let part = 0; part < 100; part++) socket.send('x', { fin: false });
      },
      1008,
    ],
  ];
  for (const [what, send, code] of faults) {
    it(`ends with ${code} after ${what}`, async () => {
      const web = await visits(romeo);
      send(web);
      expect((await web.ends()).code).to.equal(code);
    });
  }

  it('ends after the first bytes of a stranger that are too many for one message', async () => {
    const web = await WebSocketClient.connect(stage.server);
    web.socket.send('x'.repeat(100_000), { fin: false });
    expect((await web.ends()).code).to.equal(1008);
  });

  it('is told what is wrong with its XML', async () => {
    const web = await visits(romeo);
    web.says('<message xmlns="jabber:client"/><message xmlns="jabber:client"/>');
    const { code, messages } = await web.ends();
    expect(messages.join()).to.match(/^<stream:error xmlns:stream=.*<not-well-formed .*<close /);
    expect(code).to.equal(1000);
  });

  it('may authenticate behind a trusted proxy that says it has TLS, and not otherwise', async () => {
    const proxied = (proto: string) =>
      WebSocketClient.connect(stage.server, {
        plain: true,
        headers: { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': proto },
      });
    expect(await (await proxied('https')).opens('localhost')).to.contain('SCRAM-SHA-256');
    expect(await (await proxied('http')).opens('localhost')).to.not.contain('SCRAM-SHA-256');
  });

  it('find the address in the documents of the domain (XEP-0156)', async () => {
    const { port } = stage.server.http ?? { port: 0 };
    const xrd = await exchange(port, 'GET /.well-known/host-meta');
    expect(xrd).to.match(/^HTTP\/1\.1 200 .*access-control-allow-origin: \*/s);
    expect(xrd).to.match(
      /<XRD xmlns="http:\/\/docs\.oasis-open\.org\/ns\/xri\/xrd-1\.0"><Link rel="urn:xmpp:alt-connections:xbosh" href="https:\/\/localhost:\d+\/http-bind"\/><Link rel="urn:xmpp:alt-connections:websocket" href="wss:\/\/localhost:\d+\/xmpp-websocket"\/><\/XRD>/,
    );
    const json = await exchange(port, 'GET /.well-known/host-meta.json');
    const { links } = JSON.parse(json.slice(json.indexOf('\r\n\r\n'))) as { links: { rel: string }[] };
    expect(links.map(({ rel }) => rel)).to.deep.equal([
      'urn:xmpp:alt-connections:xbosh',
      'urn:xmpp:alt-connections:websocket',
    ]);
  });

  it('resume with everything that came over TCP and was never acknowledged, once and in order', async () => {
    const count = 500;
    const tcp = await romeo.arrives({ resource: 'phone' });
    tcp.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const token = (await tcp.receives(`<enabled xmlns="${sm}">...</enabled>`)).attributes.get('id') ?? '';
    const sender = await juliet.arrives();
    const says = async (first: number, last: number) => {
      for (let number = first; number < last; number++)
        sender.sends(`<message type="chat" to="${romeo.jid}/phone" id="${number}"><body>.</body></message>`);
      await sender.settles();
    };
    await says(0, count / 2);
    tcp.disconnects();
    await says(count / 2, count);

    const web = await WebSocketClient.connect(stage.server);
    await web.authenticates(romeo.jid, romeo.password);
    web.says(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
    await web.hears(/^<resumed /);
    /** The id of the next stanza; between them, the server asks for acknowledgments. */
    const nextId = async () => {
      for (;;) {
        const id = /^<(?:message|iq) .*?\bid="(\w+)"/.exec(await web.hears(/^<(?:message|iq|r) /))?.[1];
        if (id !== undefined) return id;
      }
    };
    for (let number = 0; number < count; number++) expect(await nextId()).to.equal(String(number));
    web.says('<iq xmlns="jabber:client" id="end" type="get" to="localhost"><ping xmlns="urn:xmpp:ping"/></iq>');
    expect(await nextId()).to.equal('end');
  });

  it('are told that the server stops, and come back', async () => {
    const web = await visits(romeo);
    const restarted = stage.server.restart();
    const { code, messages } = await web.ends();
    expect(messages.join()).to.match(/<system-shutdown .*<close /);
    expect(code).to.equal(1000);
    await restarted;
    await visits(romeo);
  });
});
