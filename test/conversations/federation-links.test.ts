import { expect } from 'chai';
import { listPeers } from '../../src/web/control/server-operations.ts';
import { FederatedServer } from '../support/federated-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import type { TestClient } from '../support/test-client.ts';

const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';
const sm = 'urn:xmpp:sm:3';

describe('A stanza for another server', () => {
  let peer: ScriptedServer;
  let server: FederatedServer;
  let clock: ManualClock;
  let romeo: TestClient;

  beforeEach(async () => {
    peer = await ScriptedServer.start('peer.example');
    clock = new ManualClock();
    const others = new Map([[peer.domain, peer.port]]);
    const settings = { tlsRequired: false, waiting: { stanzas: 3, seconds: 50 }, establishSeconds: 60 };
    const options = { others, settings, clock };
    [server] = (await FederatedServer.startAll(['a.example'], 'dialback', options)) as [FederatedServer];
    romeo = await server.arrives('romeo');
  });

  afterEach(async () => {
    romeo.disconnects();
    peer.stop();
    await server.stop();
  });

  const says = (id: string) =>
    romeo.sends(`<message to="x@peer.example" type="chat" id="${id}"><body>${id}</body></message>`);
  const bounces = (id: string, condition: string) =>
    romeo.receives(
      `<message type="error" id="${id}" from="x@peer.example" to="*"><error type="*"><${condition} xmlns="${stanzas}"/>...</error></message>`,
    );
  const hears = async (count: number): Promise<(string | undefined)[]> => {
    const ids: (string | undefined)[] = [];
    while (ids.length < count) {
      const { name, attributes } = await peer.receives();
      if (name === 'message') ids.push(attributes.get('id'));
    }
    return ids;
  };
  /** Time passes, and what it brings about happens. */
  const passes = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000);
      await new Promise(setImmediate);
    }
  };
  const manages = async () => {
    romeo.sends(`<enable xmlns="${sm}"/>`);
    await romeo.receives(`<enabled xmlns="${sm}"/>`);
  };
  const acknowledged = async (count: number) => {
    romeo.sends(`<r xmlns="${sm}"/>`);
    for (let h = ''; h !== String(count); )
      h = (await romeo.receives(`<a xmlns="${sm}" h="*"/>`)).attributes.get('h') ?? '';
  };

  it('is sent when the domain is proved, also by an answer with a superfluous id', async () => {
    peer.script = ({ name, attributes }, client) => {
      if (name !== 'result') return false;
      const addresses = `from="${attributes.get('to')}" to="${attributes.get('from')}"`;
      client.sends(`<db:result ${addresses} id="that-of-the-stream" type="valid"/>`);
      return true;
    };
    says('1');
    expect(await hears(1)).to.deep.equal(['1']);
  });

  it('comes back when the other server is silent for too long (RFC 6120 §8.3.3.17)', async () => {
    peer.script = () => true;
    says('1');
    await romeo.settles();
    await passes(70);
    await bounces('1', 'remote-server-timeout');
  });

  it('is refused beyond the limits of the queue (RFC 6120 §13.12)', async () => {
    peer.script = () => true;
    for (const id of ['1', '2', '3', '4']) says(id);
    await bounces('4', 'resource-constraint');
    await passes(70);
    for (const id of ['1', '2', '3']) await bounces(id, 'remote-server-timeout');
  });

  it('comes back at once for a while if the server is unreachable, which is then tried again', async () => {
    peer.script = (tree, client) => {
      if (tree.name === 'result') client.disconnects();
      return tree.name === 'result';
    };
    says('1');
    await bounces('1', 'remote-server-timeout');
    const { connections } = peer;
    says('2');
    await bounces('2', 'remote-server-timeout');
    expect(peer.connections).to.equal(connections);
    peer.script = undefined;
    await passes(6);
    says('3');
    expect(await hears(1)).to.deep.equal(['3']);
    expect(peer.connections).to.equal(connections + 1);
  });

  it('is sent again on the next stream if it was not acknowledged, in order (XEP-0198 §4)', async () => {
    peer.managed = true;
    peer.acknowledges = false;
    says('1');
    expect(await hears(1)).to.deep.equal(['1']);
    says('2');
    says('3');
    expect(await hears(2)).to.deep.equal(['2', '3']);
    peer.acknowledges = true;
    peer.drops();
    expect(await hears(3)).to.deep.equal(['1', '2', '3']);
    says('4');
    expect(await hears(1)).to.deep.equal(['4']);
  });

  it('is sent on at most three streams that do not acknowledge it', async () => {
    peer.managed = true;
    peer.acknowledges = false;
    says('1');
    for (let stream = 0; stream < 3; stream++) {
      expect(await hears(1)).to.deep.equal(['1']);
      peer.drops();
    }
    await bounces('1', 'remote-server-timeout');
  });

  it('does not wait forever for an acknowledgment, and is sent on another stream', async () => {
    peer.managed = true;
    peer.acknowledges = false;
    says('1');
    for (let stream = 0; stream < 3; stream++) {
      expect(await hears(1)).to.deep.equal(['1']);
      await passes(70);
    }
    await bounces('1', 'remote-server-timeout');
    expect(peer.connections).to.equal(3);
  });

  it('is sent again without stream management only if it must be acknowledged', async () => {
    says('lost');
    expect(await hears(1)).to.deep.equal(['lost']);
    await manages();
    says('owed');
    expect(await hears(1)).to.deep.equal(['owed']);
    await acknowledged(1);
    peer.drops();
    expect(await hears(1)).to.deep.equal(['owed']);
  });

  it('is confirmed by a ping behind it (XEP-0199)', async () => {
    await manages();
    says('owed');
    expect(await hears(1)).to.deep.equal(['owed']);
    await passes(1);
    const ping = await peer.receives();
    expect(ping.name).to.equal('iq');
    const stream = await peer.proves(server.port, 'a.example');
    stream.sends(`<iq from="peer.example" to="a.example" type="result" id="${ping.attributes.get('id')}"/>`);
    stream.sends('<message from="x@peer.example" to="romeo@a.example" type="chat"><body>x</body></message>');
    await romeo.receives('<message from="x@peer.example" to="romeo@a.example" type="chat"><body>x</body></message>');
    peer.drops();
    says('next');
    expect(await hears(1)).to.deep.equal(['next']);
  });

  it('is also confirmed by a ping if the other server refuses stream management (XEP-0198 §3)', async () => {
    peer.managed = true;
    peer.script = (tree, client) => {
      if (tree.name !== 'enable') return false;
      client.sends(`<failed xmlns="${sm}"><unexpected-request xmlns="${stanzas}"/></failed>`);
      return true;
    };
    await manages();
    says('owed');
    expect(await hears(1)).to.deep.equal(['owed']);
    await acknowledged(1);
    await passes(1);
    expect((await peer.receives()).name).to.equal('iq');
    peer.drops();
    expect(await hears(1)).to.deep.equal(['owed']);
  });

  it('that waits when the server stops is sent at the next start', async () => {
    peer.script = () => true;
    await manages();
    says('1');
    await acknowledged(1);
    romeo.disconnects();
    const stopped = server.halt();
    await passes(60);
    await stopped;
    peer.drops();
    peer.script = undefined;
    await server.start();
    expect(await hears(1)).to.deep.equal(['1']);
    romeo = await server.logsIn('romeo');
  });

  it('is not affected by an authoritative server that does not answer for a key (XEP-0220 §2.5)', async () => {
    says('1');
    expect(await hears(1)).to.deep.equal(['1']);
    const stream = await peer.proves(server.port, 'a.example');
    peer.verdict = 'silence';
    stream.sends('<db:result from="peer.example" to="a.example">key</db:result>');
    await romeo.settles();
    await passes(61);
    await stream.receives(
      '<db:result xmlns:db="jabber:server:dialback" from="a.example" to="peer.example" type="error">' +
        `<error xmlns="jabber:server" type="*"><remote-server-timeout xmlns="${stanzas}"/>...</error></db:result>`,
    );
    says('2');
    expect(await hears(1)).to.deep.equal(['2']);
  });

  it('leaves behind an idle stream, which is then closed', async () => {
    says('1');
    await hears(1);
    expect((await server.administration.call(listPeers, {})).streams).to.have.lengthOf(1);
    await passes(650);
    expect((await server.administration.call(listPeers, {})).streams).to.deep.equal([]);
    says('2');
    expect(await hears(1)).to.deep.equal(['2']);
    expect(peer.connections).to.equal(2);
  });

  it('is a question to its rooms after the link has broken, and not after a stream that has ended in order', async () => {
    romeo.sends('<presence to="hall@peer.example/romeo"/>');
    expect((await peer.receives()).name).to.equal('presence');
    await passes(650);
    await passes(10);
    says('1');
    expect((await peer.receives()).attributes.get('id')).to.equal('1');
    peer.drops();
    const isOpen = async () =>
      (await server.administration.call(listPeers, {})).streams.some(({ state }) => state === 'open');
    while (await isOpen()) await new Promise(setImmediate);
    await passes(5);
    const { attributes, children } = await peer.receives();
    expect([attributes.get('from'), attributes.get('to')]).to.deep.equal([romeo.jid, 'hall@peer.example/romeo']);
    expect(children.map(({ ns }) => ns)).to.deep.equal(['urn:xmpp:ping']);
  });
});
