import { setImmediate as turn } from 'node:timers/promises';
import { Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { TestClient } from '../support/test-client.ts';

const ping = '<iq type="get" id="*" from="localhost"><ping xmlns="urn:xmpp:ping"/></iq>';

describe('Deadlines of a stream (RFC 6120 §4.6, §13.12)', () => {
  const clock = new ManualClock();
  const stage = new Stage({ clock });

  /** Lets seconds pass, and the server and its clients work meanwhile. */
  async function pass(seconds: number): Promise<void> {
    for (let left = seconds; left > 0; left--) {
      await turn();
      clock.advance(1000);
    }
    await turn();
  }

  /** A bound client that lets the test answer pings. */
  async function bound(): Promise<TestClient> {
    const client = await (await stage.account('romeo')).arrives();
    client.answersPings = false;
    return client;
  }

  it('a client that never authenticates is told so after 30 seconds (RFC 6120 §4.9.3.4)', async () => {
    const client = await stage.plainClient();
    await client.opens();
    await pass(29);
    client.sends(' ');
    await pass(2);
    await client.receivesStreamError('connection-timeout');
  });

  it('a client that authenticates slowly is told so, whatever it sends meanwhile (RFC 6120 §4.9.3.4)', async () => {
    const client = await stage.client();
    await client.opens();
    for (let attempt = 0; attempt < 4; attempt++) {
      await client.tries({ username: 'ghost', password: 'boo', mechanism: 'PLAIN' });
      await pass(7);
    }
    await pass(3);
    await client.receivesStreamError('connection-timeout');
  });

  it('a client that never binds a resource is told so (RFC 6120 §4.9.3.4)', async () => {
    const { local, password } = await stage.account('romeo');
    const client = await stage.client();
    await client.opens();
    await client.authenticates({ username: local, password });
    await pass(31);
    await client.receivesStreamError('connection-timeout');
  });

  it('a client that never shakes hands is dropped after 10 seconds (RFC 6120 §13.12)', async () => {
    const client = await stage.plainClient();
    await client.opens();
    client.sends('<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    await client.receives('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    await pass(12);
    await client.receivesClosed();
  });

  it('a client that shakes half a hand is dropped after 10 seconds (RFC 6120 §13.12)', async () => {
    const { host, port } = stage.server.c2sTls;
    const silent = stage.keep(await TestClient.connect({ host, port }, 'localhost'));
    silent.sends(Buffer.from('16030100c8010000c40303', 'hex'));
    // By the time another client is served the server has seen this one.
    await stage.client();
    await pass(12);
    await silent.receivesClosed();
  });

  it('a stanza must be complete after 30 seconds, however busy its sender is (RFC 6120 §13.12)', async () => {
    const client = await bound();
    client.sends(`<message to="${client.jid}"><body>slow`);
    for (let piece = 0; piece < 3; piece++) {
      await (await stage.plainClient()).opens();
      await pass(10);
      client.sends('ly');
    }
    await (await stage.plainClient()).opens();
    await pass(2);
    await client.receivesStreamError('policy-violation');
  });

  it('a silent client is asked for a sign of life, and closed if it gives none (RFC 6120 §4.6.4)', async () => {
    const client = await bound();
    await pass(301);
    await client.receives(ping);
    await pass(59);
    await (await stage.plainClient()).opens();
    await pass(3);
    await client.receivesStreamError('connection-timeout');
  });

  it('a client that answers the ping stays (RFC 6120 §4.6.4)', async () => {
    const client = await bound();
    for (let round = 0; round < 3; round++) {
      await pass(301);
      const { attributes } = await client.receives(ping);
      client.sends(`<iq type="result" id="${attributes.get('id')}" to="localhost"/>`);
      await client.receivesNothing();
    }
  });

  it('white space is a sign of life (RFC 6120 §4.6.1)', async () => {
    const client = await bound();
    for (let round = 0; round < 4; round++) {
      await pass(200);
      client.sends(' ');
      // A round trip of another client: the server has read the space.
      await (await stage.plainClient()).opens();
    }
    await client.receivesNothing();
  });

  it('a contact learns of a client that timed out (RFC 6121 §4.5.2)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    juliet.answersPings = false;
    juliet.sends(`<presence to="${romeo.jid}"/>`);
    await romeo.receives(`<presence from="${juliet.jid}" type="{none}"/>`);
    for (const wait of [301, 55, 7]) {
      await pass(wait);
      // Romeo answers pings out of sight; by the time somebody else is served that has arrived.
      await (await stage.plainClient()).opens();
    }
    await juliet.receives(ping);
    await juliet.receivesStreamError('connection-timeout');
    await romeo.receives(`<presence from="${juliet.jid}" type="unavailable"/>`);
  });
});
