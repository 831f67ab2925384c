import { expect } from 'chai';
import { listComponents, listPeers } from '../../src/web/control/server-operations.ts';
import { FederatedServer, type FederatedServerOptions } from '../support/federated-server.ts';
import { freePort } from '../support/free-port.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { handshake, TestComponent } from '../support/test-component.ts';

const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';
const secret = 'what only the component knows';
const message = (from: string, to: string, id: string) =>
  `<message from="${from}" to="${to}" id="${id}" type="chat"><body>x</body></message>`;

describe('A server that reloads its configuration', () => {
  const names = ['one.example', 'two.example'] as const;
  let one: ScriptedServer;
  let two: ScriptedServer;
  let server: FederatedServer;
  let romeo: TestClient;
  let others: Map<string, number>;

  const starts = async (options: FederatedServerOptions = {}) => {
    const settings = { tlsRequired: false, ...options.settings };
    [server] = (await FederatedServer.startAll(['a.example'], 'dialback', { others, ...options, settings })) as [
      FederatedServer,
    ];
    romeo = await server.arrives('romeo');
  };
  const rereads = (settings: FederatedServerOptions['settings'], rest: FederatedServerOptions = {}) =>
    server.reloads({ ...rest, settings: { tlsRequired: false, ...settings } });
  const error = (from: string, id: string, condition: string) =>
    `<message from="${from}" to="romeo@a.example/r" id="${id}" type="error">...<error>` +
    `<${condition} xmlns="${stanzas}"/>...</error></message>`;
  /** The stream still carries what its server sends. */
  const carries = async (stream: TestClient, from: string) => {
    stream.sends(message(`x@${from}`, 'romeo@a.example', 'carried'));
    await romeo.receives(message(`x@${from}`, 'romeo@a.example', 'carried'));
  };

  beforeEach(async () => {
    [one, two] = (await Promise.all(names.map((name) => ScriptedServer.start(name)))) as [
      ScriptedServer,
      ScriptedServer,
    ];
    others = new Map([one, two].map(({ domain, port }) => [domain, port]));
  });

  afterEach(async () => {
    await server.stop();
    for (const peer of [one, two]) peer.stop();
  });

  it('ends the streams of newly denied domains, in both directions, and no others', async () => {
    await starts();
    const denied = await one.proves(server.port, 'a.example');
    const stays = await two.proves(server.port, 'a.example');
    for (const peer of [one, two]) {
      romeo.sends(message('romeo@a.example/r', `x@${peer.domain}`, 'before'));
      await peer.receives();
    }
    await rereads({ deny: ['one.example'] });
    await denied.receivesStreamError('policy-violation');
    romeo.sends(message('romeo@a.example/r', 'x@one.example', 'after'));
    await romeo.receives(error('x@one.example', 'after', 'not-allowed'));
    await carries(stays, 'two.example');
    romeo.sends(message('romeo@a.example/r', 'x@two.example', 'after'));
    expect((await two.receives()).attributes.get('id')).to.equal('after');
    expect(two.connections).to.equal(2);
    const open = (await server.administration.call(listPeers, {})).streams.filter(({ state }) => state === 'open');
    expect(open.map(({ remote }) => remote)).to.have.members(['two.example', 'two.example']);
  });

  it('ends the streams of domains that now need a certificate, or TLS', async () => {
    await starts();
    const plain = await one.proves(server.port, 'a.example');
    const stays = await two.proves(server.port, 'a.example');
    await rereads({ domains: { 'one.example': { tlsRequired: true } } });
    await plain.receivesStreamError('policy-violation');
    await carries(stays, 'two.example');
  });

  it('ends a stream that carries several domains if one of them is denied', async () => {
    await starts();
    const stream = await one.proves(server.port, 'a.example');
    stream.sends('<db:result from="two.example" to="a.example">key</db:result>');
    await stream.receives('<db:result xmlns:db="jabber:server:dialback" type="valid">...</db:result>');
    await rereads({ deny: ['two.example'] });
    await stream.receivesStreamError('policy-violation');
  });

  it('returns the stanzas waiting for a newly denied server', async () => {
    await starts();
    one.welcome = () => undefined;
    romeo.sends(message('romeo@a.example/r', 'x@one.example', 'waiting'));
    await romeo.settles();
    await rereads({ deny: ['one.example'] });
    await romeo.receives(error('x@one.example', 'waiting', 'not-allowed'));
  });

  it('applies new limits to new streams', async () => {
    await starts();
    await rereads({ domains: { 'one.example': { stanzaBytes: 10_000 } } });
    const stream = await one.proves(server.port, 'a.example');
    stream.sends(`<message from="x@one.example" to="romeo@a.example"><body>${'x'.repeat(20_000)}</body></message>`);
    await stream.receivesStreamError('policy-violation');
  });

  it('finds servers at new addresses, and tries them at once', async () => {
    await starts();
    const nowhere = { 'lost.example': [{ host: '127.0.0.1', port: await freePort() }] };
    await rereads({ overrides: nowhere });
    romeo.sends(message('romeo@a.example/r', 'x@lost.example', 'lost'));
    await romeo.receives(error('x@lost.example', 'lost', 'remote-server-timeout'));
    const found = await ScriptedServer.start('lost.example');
    await rereads({ overrides: { 'lost.example': [{ host: '127.0.0.1', port: found.port }] } });
    romeo.sends(message('romeo@a.example/r', 'x@lost.example', 'found'));
    expect((await found.receives()).attributes.get('id')).to.equal('found');
    found.stop();
  });

  it('changes nothing if there is an error', async () => {
    await starts();
    const stream = await one.proves(server.port, 'a.example');
    const failure = await rereads({ deny: ['one.example'], trustedAuthorities: 'nowhere.pem' }).then(
      () => undefined,
      (reason: unknown) => String(reason),
    );
    expect(failure).to.contain('nowhere.pem');
    await carries(stream, 'one.example');
  });

  it('applies the new policy for servers without AMP', async () => {
    const rule =
      '<amp xmlns="http://jabber.org/protocol/amp"><rule action="drop" condition="deliver" value="stored"/></amp>';
    await starts({ amp: { 'a.example': { remoteUnsupported: { policy: 'bounce' } } } });
    const back = await one.proves(server.port, 'a.example');
    one.script = ({ name, attributes }) => {
      if (name !== 'iq') return false;
      back.sends(`<iq type="error" id="${attributes.get('id')}" from="one.example" to="a.example"/>`);
      return true;
    };
    const sends = (id: string) =>
      romeo.sends(`<message to="x@one.example" id="${id}" type="chat">${rule}<body>x</body></message>`);
    sends('bounced');
    await romeo.receives('<message from="a.example" id="bounced" type="error">...</message>');
    await rereads({}, { amp: { 'a.example': { remoteUnsupported: { policy: 'strip' } } } });
    sends('stripped');
    const { attributes, children } = await one.receives();
    expect([attributes.get('id'), children.map(({ name }) => name)]).to.deep.equal(['stripped', ['body']]);
  });

  describe('with other components', () => {
    const joins = async (address: string, by = secret) =>
      (await TestComponent.to(server.components, address, 'a.example')).joins(by);
    const components = (...domains: readonly string[]) => ({
      more: { components: Object.fromEntries(domains.map((domain) => [domain, { secret, gateway: false }])) },
    });

    it('admits a new one, and opens the port for it', async () => {
      await starts();
      expect(server.components.port).to.equal(0);
      await rereads({}, components('one.a.example'));
      const component = await joins('one.a.example');
      romeo.sends(message('romeo@a.example/r', 'x@one.a.example', 'new'));
      await component.receives('<message id="new">...</message>');
      expect((await server.administration.call(listComponents, {})).components).to.have.length(1);
      component.disconnects();
    });

    it('disconnects a removed one, whose domain is remote from then on', async () => {
      await starts(components('one.example', 'two.a.example'));
      const [gone, stays] = [await joins('one.example'), await joins('two.a.example')];
      await rereads({}, components('two.a.example'));
      await gone.receivesStreamError('host-gone');
      romeo.sends(message('romeo@a.example/r', 'x@one.example', 'abroad'));
      expect((await one.receives()).attributes.get('id')).to.equal('abroad');
      await stays.settles();
      const again = await TestComponent.to(server.components, 'one.example', 'a.example');
      await again.greets();
      await again.receivesStreamError('host-unknown');
    });

    it('returns the stanzas waiting for a removed one', async () => {
      const queue = { 'one.a.example': { secret, whileAway: 'queue' as const } };
      await starts({ more: { components: queue } });
      romeo.sends(message('romeo@a.example/r', 'x@one.a.example', 'waiting'));
      await romeo.settles();
      await rereads({}, { more: { components: {} } });
      await romeo.receives(error('x@one.a.example', 'waiting', 'remote-server-not-found'));
    });

    it('requires the new secret after a change', async () => {
      await starts(components('one.a.example'));
      const before = await joins('one.a.example');
      await rereads({}, { more: { components: { 'one.a.example': { secret: 'another', gateway: false } } } });
      await before.receivesStreamError('reset');
      const late = await TestComponent.to(server.components, 'one.a.example', 'a.example');
      late.sends(handshake(await late.greets(), secret));
      await late.receivesStreamError('not-authorized');
      await (await joins('one.a.example', 'another')).settles();
    });

    it('ends the stream of the server that has used its domain until then', async () => {
      await starts();
      const stream = await one.proves(server.port, 'a.example');
      await rereads({}, components('one.example'));
      await stream.receivesStreamError('policy-violation');
    });

    it('keeps a connection if only other settings change', async () => {
      await starts(components('one.a.example'));
      const component = await joins('one.a.example');
      await rereads({}, { more: { components: { 'one.a.example': { secret, whileAway: 'queue', gateway: false } } } });
      await component.settles();
      await component.closes();
      romeo.sends(message('romeo@a.example/r', 'x@one.a.example', 'kept'));
      await romeo.settles();
      await (await joins('one.a.example')).receives('<message id="kept">...</message>');
    });
  });
});

describe('Servers that reload their configuration', () => {
  it('trust new authorities, and no longer trust removed ones', async () => {
    const servers = await FederatedServer.startAll(['a.example', 'b.example'], 'dialback', {
      settings: { authentication: 'certificate' },
    });
    const [a, b] = servers as [FederatedServer, FederatedServer];
    const [romeo, juliet] = [await a.arrives('romeo'), await b.arrives('juliet')];
    const sends = (id: string) => romeo.sends(message('romeo@a.example/r', 'juliet@b.example', id));
    sends('refused');
    await romeo.receives('<message id="refused" type="error">...</message>');
    await a.reloads({ settings: { authentication: 'certificate', trustedAuthorities: b.authorityFile } });
    await b.reloads({ settings: { authentication: 'certificate', trustedAuthorities: a.authorityFile } });
    sends('taken');
    await juliet.receives('<message id="taken">...</message>');
    expect((await a.administration.call(listPeers, {})).streams).to.have.length(1);
    await b.reloads({ settings: { authentication: 'dialback', trustedAuthorities: b.authorityFile } });
    expect((await b.administration.call(listPeers, {})).streams).to.deep.equal([]);
    for (const server of servers) await server.stop();
  });
});
