import { expect } from 'chai';
import { FederatedServer } from '../support/federated-server.ts';
import { ScriptedServer, serverHeader, word } from '../support/scripted-server.ts';
import type { TestClient } from '../support/test-client.ts';

const names = ['small.example', 'usual.example', 'strict.example', 'secure.example', 'denied.example'] as const;

describe('The policies for a domain', () => {
  const peers = new Map<string, ScriptedServer>();
  let server: FederatedServer;
  let romeo: TestClient;

  before(async () => {
    for (const name of names) peers.set(name, await ScriptedServer.start(name));
    const others = new Map([...peers].map(([name, { port }]) => [name, port]));
    const settings = {
      tlsRequired: false,
      deny: ['*.evil.example', 'denied.example'],
      domains: {
        'small.example': { stanzaBytes: 10_000 },
        'strict.example': { authentication: 'certificate' as const },
        'secure.example': { tlsRequired: true },
      },
    };
    [server] = (await FederatedServer.startAll(['a.example'], 'dialback', { others, settings })) as [FederatedServer];
    romeo = await server.arrives('romeo');
  });

  after(async () => {
    await server.stop();
    for (const peer of peers.values()) peer.stop();
  });

  const peer = (name: (typeof names)[number]): ScriptedServer => {
    const found = peers.get(name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };
  const large = (from: string) =>
    `<message from="x@${from}" to="romeo@a.example" type="chat"><body>${'x'.repeat(20_000)}</body></message>`;

  it('limit the size of its stanzas', async () => {
    const usual = await peer('usual.example').proves(server.port, 'a.example');
    usual.sends(large('usual.example'));
    await romeo.receives(large('usual.example'));
    const small = await peer('small.example').proves(server.port, 'a.example');
    small.sends(large('small.example'));
    await small.receivesStreamError('policy-violation');
    await romeo.receivesNothing();
  });

  it('are those of the proven domain, not of the claimed one', async () => {
    const stream = await peer('small.example').opens(server.port, 'a.example', 'usual.example');
    stream.sends('<db:result from="small.example" to="a.example">key</db:result>');
    await stream.receives(word('result', 'from="a.example" to="small.example" type="valid"'));
    stream.sends(large('small.example'));
    await stream.receivesStreamError('policy-violation');
    await romeo.receivesNothing();
  });

  it('refuse dialback if a certificate is required (XEP-0220 §2.5)', async () => {
    const stream = await peer('strict.example').opens(server.port, 'a.example');
    stream.sends('<db:result from="strict.example" to="a.example">key</db:result>');
    const answer = await stream.connection.next('anything');
    expect(answer.kind === 'element' && answer.tree.attributes.get('type')).to.equal('error');
  });

  it('offer nothing before TLS if it is required (RFC 7590 §3.4)', async () => {
    const stream = await peer('secure.example').opens(server.port, 'a.example');
    expect(stream.features?.children.map(({ name }) => name)).to.deep.equal(['starttls']);
    stream.sends('<db:result from="secure.example" to="a.example">key</db:result>');
    await stream.receives(
      word(
        'result',
        'from="a.example" to="secure.example" type="error"',
        '<error xmlns="jabber:server" type="modify"><policy-violation xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error>',
      ),
    );
  });

  it('refuse streams of denied domains, and open none to them', async () => {
    const stream = await peer('denied.example').connects(server.port);
    stream.sends(serverHeader('from="denied.example" to="a.example"'));
    expect(await stream.connection.next('anything')).to.include({ kind: 'header' });
    await stream.receivesStreamError('policy-violation');
    for (const to of ['x@denied.example', 'x@sub.evil.example']) {
      romeo.sends(`<message to="${to}" id="${to}"><body>hi</body></message>`);
      await romeo.receives(
        `<message from="${to}" to="romeo@a.example/r" id="${to}" type="error">...<error type="cancel">` +
          '<not-allowed xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></message>',
      );
    }
    expect(peer('denied.example').connections).to.equal(0);
  });
});
