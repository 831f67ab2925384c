import { expect } from 'chai';
import { FederatedServer } from '../support/federated-server.ts';
import { ScriptedServer, serverHeader, word } from '../support/scripted-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { rawOf } from '../support/test-client.ts';
import { TestComponent } from '../support/test-component.ts';

const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';
const secret = 'what only the component knows';
const chat = (from: string, to: string, id: string) =>
  `<message from="${from}" to="${to}" id="${id}" type="chat"><body>x</body></message>`;

describe('Components of federated servers', () => {
  let a: FederatedServer;
  let b: FederatedServer;
  let gate: TestComponent;
  let juliet: TestClient;

  const component = async (address: string) =>
    (await TestComponent.to(a.components, address, 'a.example')).joins(secret);

  before(async () => {
    const usual = { secret, gateway: false };
    const components = {
      'a.example': { 'gate.a.example': usual, 'away.a.example': usual, 'bad.a.example': usual },
      'b.example': { 'gate.b.example': usual },
    };
    const servers = await FederatedServer.startAll(['a.example', 'b.example'], 'dialback', { components });
    [a, b] = servers as [FederatedServer, FederatedServer];
    juliet = await b.arrives('juliet');
    gate = await component('gate.a.example');
  });

  after(async () => {
    gate.disconnects();
    for (const server of [a, b]) await server.stop();
  });

  it('exchange messages with users of the other', async () => {
    juliet.sends(chat('juliet@b.example/r', 'nurse@gate.a.example/x', '1'));
    await gate.receives(chat('juliet@b.example/r', 'nurse@gate.a.example/x', '1'));
    gate.sends(chat('nurse@gate.a.example/x', 'juliet@b.example/r', '2'));
    await juliet.receives(chat('nurse@gate.a.example/x', 'juliet@b.example/r', '2'));
  });

  it('exchange requests and answers with users of the other', async () => {
    const asked = juliet.asks('<iq type="get" to="gate.a.example"><query xmlns="jabber:iq:version"/></iq>');
    const { attributes } = await gate.receives('<iq type="get" from="juliet@b.example/r">...</iq>');
    gate.sends(`<iq type="result" from="gate.a.example" to="juliet@b.example/r" id="${attributes.get('id')}"/>`);
    expect((await asked).attributes.get('type')).to.equal('result');
    gate.sends('<iq type="get" from="gate.a.example" to="b.example" id="p"><ping xmlns="urn:xmpp:ping"/></iq>');
    await gate.receives('<iq type="result" from="b.example" to="gate.a.example" id="p"/>');
  });

  it('wake devices of users of the other (XEP-0357 §7)', async () => {
    const phone = await b.arrives('paris');
    await phone.gets(
      '<iq type="set"><enable xmlns="urn:xmpp:push:0" jid="gate.a.example" node="n1"/></iq>',
      '<iq type="result">...</iq>',
    );
    await phone.closes();
    for (const count of ['1', '2']) {
      juliet.sends(chat('juliet@b.example/r', 'paris@b.example', count));
      const request = await gate.receives(
        '<iq type="set" from="b.example" to="gate.a.example"><pubsub xmlns="http://jabber.org/protocol/pubsub">...</pubsub></iq>',
      );
      expect(rawOf(request)).to.include('<publish node="n1">').and.include(`<value>${count}</value>`);
      gate.sends(
        `<iq type="result" from="gate.a.example" to="b.example" id="${request.attributes.get('id')}"/>`,
        '<iq type="get" from="gate.a.example" to="b.example" id="p"><ping xmlns="urn:xmpp:ping"/></iq>',
      );
      // The answer to the ping shows that the other server has had the one before it.
      await gate.receives('<iq type="result" from="b.example" to="gate.a.example" id="p"/>');
    }
  });

  it('subscribe to presence of users of the other, and are subscribed to', async () => {
    juliet.sends('<presence to="nurse@gate.a.example" type="subscribe"/>');
    await gate.receives('<presence type="subscribe" from="juliet@b.example" to="nurse@gate.a.example">...</presence>');
    gate.sends('<presence from="nurse@gate.a.example" to="juliet@b.example" type="subscribed"/>');
    gate.sends('<presence from="nurse@gate.a.example/x" to="juliet@b.example"/>');
    await juliet.receives('<presence from="nurse@gate.a.example/x">...</presence>');
  });

  it('exchange messages with each other', async () => {
    const other = await (await TestComponent.to(b.components, 'gate.b.example', 'b.example')).joins(secret);
    other.sends(chat('x@gate.b.example', 'y@gate.a.example', '1'));
    await gate.receives(chat('x@gate.b.example', 'y@gate.a.example', '1'));
    gate.sends(chat('y@gate.a.example', 'x@gate.b.example', '2'));
    await other.receives(chat('y@gate.a.example', 'x@gate.b.example', '2'));
    other.disconnects();
  });

  it('that are not connected cause errors for senders on the other', async () => {
    juliet.sends(chat('juliet@b.example/r', 'x@away.a.example', 'away'));
    await juliet.receives(
      `<message from="x@away.a.example" id="away" type="error">...<error type="wait">` +
        `<service-unavailable xmlns="${stanzas}"/>...</error></message>`,
    );
  });

  for (const from of ['romeo@a.example', 'a.example', 'x@away.a.example', 'x@gate.b.example', 'juliet@b.example']) {
    it(`may not speak for ${from} to users of the other (XEP-0114 §3)`, async () => {
      const bad = await component('bad.a.example');
      bad.sends(chat(from, 'juliet@b.example/r', '1'));
      await bad.receivesStreamError('invalid-from');
      await juliet.receivesNothing();
    });
  }
});

describe('Another server that claims the domain of a component', () => {
  let server: FederatedServer;
  let peer: ScriptedServer;
  let gate: TestComponent;

  before(async () => {
    peer = await ScriptedServer.start('peer.example');
    const components = { 'a.example': { 'gate.a.example': { secret, gateway: false } } };
    const others = new Map([[peer.domain, peer.port]]);
    const settings = { tlsRequired: false };
    [server] = (await FederatedServer.startAll(['a.example'], 'dialback', { components, others, settings })) as [
      FederatedServer,
    ];
    gate = await (await TestComponent.to(server.components, 'gate.a.example', 'a.example')).joins(secret);
  });

  after(async () => {
    gate.disconnects();
    await server.stop();
    peer.stop();
  });

  for (const to of ['a.example', 'gate.a.example']) {
    it(`opens no stream to ${to} in its name (RFC 6120 §4.9.3.9)`, async () => {
      const stream = await peer.connects(server.port);
      stream.sends(serverHeader(`from="gate.a.example" to="${to}"`));
      await stream.receivesStreamError('invalid-from', { header: true });
    });

    it(`does not prove its domain to ${to} (XEP-0220 §2.5)`, async () => {
      const stream = await peer.opens(server.port, to);
      stream.sends(`<db:result from="gate.a.example" to="${to}">key</db:result>`);
      const answer = await stream.receives(word('result', `from="${to}" to="gate.a.example" type="error"`, '...'));
      expect(rawOf(answer)).to.contain('<not-acceptable');
    });

    it(`sends nothing to ${to} in its name, whatever else it has proved (RFC 6120 §8.1.2.2)`, async () => {
      const stream = await peer.proves(server.port, to);
      stream.sends(chat('x@gate.a.example', `y@${to}`, '1'));
      await stream.receivesStreamError('invalid-from');
      await gate.receivesNothing();
    });
  }

  it('proves itself to the component, and can then write only to it', async () => {
    const stream = await peer.proves(server.port, 'gate.a.example');
    stream.sends(chat('x@peer.example', 'y@gate.a.example', '1'));
    await gate.receives(chat('x@peer.example', 'y@gate.a.example', '1'));
    stream.sends(chat('x@peer.example', 'y@a.example', '2'));
    await stream.receivesStreamError('invalid-from');
  });
});
