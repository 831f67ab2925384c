import { FederatedServer } from '../support/federated-server.ts';
import { ScriptedServer, serverHeader, word } from '../support/scripted-server.ts';

const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';

describe('The capacity for outbound connections', () => {
  let silent: ScriptedServer;
  let usual: ScriptedServer;
  let server: FederatedServer;

  beforeEach(async () => {
    silent = await ScriptedServer.start('silent.example');
    silent.welcome = () => undefined;
    usual = await ScriptedServer.start('usual.example');
    const others = new Map([silent, usual].map(({ domain, port }) => [domain, port]));
    const limits = { peers: { dialbackQuestionsPerIp: 1, newLinksPerAccount: 1 } };
    const settings = { tlsRequired: false };
    [server] = (await FederatedServer.startAll(['a.example'], 'dialback', { others, settings, limits })) as [
      FederatedServer,
    ];
  });

  afterEach(async () => {
    await server.stop();
    for (const peer of [silent, usual]) peer.stop();
  });

  it('is not used up by one address whose domains do not answer (XEP-0220 §2.5)', async () => {
    const stream = await usual.opens(server.port, 'a.example');
    stream.sends('<db:result from="silent.example" to="a.example">key</db:result>');
    stream.sends('<db:result from="usual.example" to="a.example">key</db:result>');
    await stream.receives(
      word(
        'result',
        'from="a.example" to="usual.example" type="error"',
        `<error xmlns="jabber:server" type="wait"><resource-constraint xmlns="${stanzas}"/>...</error>`,
      ),
    );
    const other = await usual.connects(server.port, '127.0.0.2');
    await other.opens(serverHeader('from="usual.example" to="a.example"'));
    other.sends('<db:result from="usual.example" to="a.example">key</db:result>');
    await other.receives(word('result', 'from="a.example" to="usual.example" type="valid"'));
  });

  it('is not used up by one user who writes to many servers (RFC 6120 §8.3.3.18)', async () => {
    const [mallory, romeo] = [await server.arrives('mallory'), await server.arrives('romeo')];
    mallory.sends('<message to="x@silent.example" id="1"/>', '<message to="x@usual.example" id="2"/>');
    await mallory.receives(
      `<message from="x@usual.example" id="2" type="error">...<error type="wait">` +
        `<resource-constraint xmlns="${stanzas}"/>...</error></message>`,
    );
    romeo.sends('<message to="x@usual.example" id="3"/>');
    await usual.receives();
    mallory.sends('<message to="x@usual.example" id="4"/>');
    await usual.receives();
  });
});
