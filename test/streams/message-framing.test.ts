import { expect } from 'chai';
import { ClientStream } from '../../src/c2s/client-stream.ts';
import { bind } from '../../src/c2s/negotiation/bind.ts';
import { starttls } from '../../src/c2s/negotiation/starttls.ts';
import type { StreamFeature } from '../../src/c2s/negotiation/stream-feature.ts';
import { Jid } from '../../src/protocol/jid.ts';
import type { Acceptor, IncomingConnection } from '../../src/streams/acceptor.ts';
import { ConnectionLimiter } from '../../src/streams/connection-limiter.ts';
import { messageFraming } from '../../src/streams/message-framing.ts';
import type { ConnectionUser, StreamConnection } from '../../src/streams/stream-connection.ts';
import { StreamListener } from '../../src/streams/stream-listener.ts';
import type { ChannelBinding } from '../../src/tls/channel-binding.ts';
import { auth, SimpleAuth } from '../c2s/simple-auth.ts';
import { header, StreamBench, type Visit } from '../c2s/stream-bench.ts';
import { turn } from './socket-pair.ts';

const framingNs = 'urn:ietf:params:xml:ns:xmpp-framing';

/** A connection of messages without a network, and the client at its other end. */
class MessageConnection implements StreamConnection {
  readonly remoteAddress = '192.0.2.7';
  readonly secure: boolean;
  readonly channelBindings: readonly ChannelBinding[] = [
    { type: 'tls-exporter', advertised: true, data: () => Buffer.from('x') },
  ];
  readonly congested = false;
  readonly outgoingBytes = 0;
  readonly sentBytes = 0;
  readonly #user: ConnectionUser;
  #heard: string[] = [];
  ended = false;

  constructor(user: ConnectionUser, secure: boolean) {
    this.#user = user;
    this.secure = secure;
  }

  /** The client sends messages; answers with those that it gets. */
  async says(...sent: string[]): Promise<string[]> {
    for (const message of sent) this.#user.received(Buffer.from(message));
    await turn();
    return this.hears();
  }

  hears(): string[] {
    return this.#heard.splice(0).map((message) => message.replace(/ id="[\w-]{22}"/, ' id="*"'));
  }

  write(...pieces: (string | Buffer)[]): void {
    if (!this.ended) this.#heard.push(pieces.join(''));
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    setImmediate(() => this.#user.disconnected());
  }

  destroy(): void {
    this.end();
  }

  startTls(): void {
    throw new Error('there is no TLS to begin');
  }

  async flushed(): Promise<void> {}
  limitReading(): void {}
  pause(): void {}
  resume(): void {}
  checkStall(): void {}
}

describe('A client whose stream is in messages (RFC 7395)', () => {
  const opening = `<open xmlns="${framingNs}" to="a.example" version="1.0" xml:lang="de"/>`;
  const opened = `<open xmlns="${framingNs}" id="*" from="a.example" version="1.0" xml:lang="en"/>`;
  const closed = `<close xmlns="${framingNs}"/>`;
  const features = (offer: string) =>
    `<stream:features xmlns:stream="http://etherx.jabber.org/streams">${offer}</stream:features>`;
  const offerAuth = features('<auth xmlns="urn:simple-auth"/>');
  const success = '<success xmlns="urn:simple-auth"/>';
  const bindRequest = (resource: string) =>
    `<iq xmlns="jabber:client" id="b" type="set"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>${resource}</resource></bind></iq>`;
  const bindResult = (resource: string, xmlns = '') =>
    `<iq${xmlns} id="b" type="result"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><jid>juliet@a.example/${resource}</jid></bind></iq>`;

  /** Offers nothing, and keeps what it was told. */
  let bindings: readonly ChannelBinding[] | undefined;
  const channelBindingWitness: StreamFeature = {
    name: 'witness',
    exclusive: false,
    needs: ({ channelBindings, identity }) => {
      if (!identity) bindings = channelBindings;
      return false;
    },
    offer: () => [],
    handles: () => false,
    negotiate: () => undefined,
  };
  let bench: StreamBench;
  let listener: StreamListener;
  let arrive: (arrival: IncomingConnection) => void;

  beforeEach(async () => {
    bench = new StreamBench({
      features: ({ sessions }) => [
        starttls({ required: false }),
        channelBindingWitness,
        new SimpleAuth(sessions).feature,
        bind(sessions),
      ],
      route: (stanza, { jid }) => {
        const to = stanza.to ?? Jid.parse('nobody@a.example');
        bench.directory.find(to)?.send(stanza.with({ from: jid }));
      },
    });
    const { clock, log, deps } = bench;
    const acceptor: Acceptor<StreamConnection> = {
      open: async (address, _start, arrived) => {
        arrive = arrived;
        return { address: address.host, port: address.port, family: 'IPv4' };
      },
      closePort() {},
      close() {},
      async end() {},
    };
    const limiter = new ConnectionLimiter(
      {
        ...{ total: 10, outgoing: 10, unauthenticated: 10, backlog: 10 },
        address: { concurrent: 10, perSecond: 1e6, burst: 1e6 },
      },
      clock,
      log,
    );
    const newStream = (authenticated: () => void) => new ClientStream(deps, authenticated, messageFraming);
    listener = new StreamListener({ newStream, acceptor, limiter, clock, log });
    await listener.listen({ host: '127.0.0.1', port: 1, optional: false }, 'established');
  });

  afterEach(async () => {
    for (const visit of bench.visits) await visit.leaves();
    await listener.stop(0);
    expect(bench.log.alarms).to.deep.equal([]);
  });

  function connects(secure = true): MessageConnection {
    let connection: MessageConnection | undefined;
    arrive({
      remoteAddress: '192.0.2.7',
      admit: (user) => {
        connection = new MessageConnection(user, secure);
        return connection;
      },
      refuse: () => expect.fail('refused'),
    });
    return connection ?? expect.fail('not admitted');
  }

  /** A bound client of messages, and a bound one over TCP. */
  async function both(): Promise<[client: MessageConnection, tcp: Visit]> {
    const client = connects();
    await client.says(opening, auth('restart'), opening);
    expect(await client.says(bindRequest('web'))).to.deep.equal([bindResult('web', ' xmlns="jabber:client"')]);
    const tcp = bench.visit();
    await tcp.says(header() + auth('continue'));
    expect(await tcp.says(bindRequest('tcp'))).to.equal(bindResult('tcp'));
    return [client, tcp];
  }

  it('gets each part of the stream in a message of its own, and no offer of TLS (RFC 7395 §3.3.3, §3.9)', async () => {
    const client = connects();
    expect(await client.says(opening)).to.deep.equal([opened, offerAuth]);
    expect(bindings, 'channel bindings, which a proxy may end').to.deep.equal([]);
    expect(await client.says(auth('more'))).to.deep.equal(['<more xmlns="urn:simple-auth"/>']);
    expect(await client.says(auth('restart'))).to.deep.equal([success]);
    const bindOffer = '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>';
    expect(await client.says(opening)).to.deep.equal([opened, features(bindOffer)]);
  });

  it('is offered no TLS on the stream either if what carries it has none', async () => {
    const client = connects(false);
    expect(await client.says(opening)).to.deep.equal([opened, offerAuth]);
    const [failure, error, end] = await client.says('<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    expect(failure).to.equal('<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    expect(error).to.contain('policy-violation');
    expect(end).to.equal(closed);
  });

  it('exchanges messages with a client over TCP, each in its own framing', async () => {
    const [client, tcp] = await both();
    const body = '<body>hi</body>';
    await client.says(`<message xmlns="jabber:client" to="juliet@a.example/tcp" id="1">${body}</message>`);
    expect(await tcp.hears()).to.equal(
      `<message from="juliet@a.example/web" to="juliet@a.example/tcp" id="1" xml:lang="de">${body}</message>`,
    );
    await tcp.says(`<message to="juliet@a.example/web" id="2">${body}</message>`);
    expect(client.hears()).to.deep.equal([
      `<message xmlns="jabber:client" from="juliet@a.example/tcp" to="juliet@a.example/web" id="2">${body}</message>`,
    ]);
  });

  it('closes as it opened (RFC 7395 §3.6)', async () => {
    const [client] = await both();
    expect(await client.says(closed)).to.deep.equal([closed]);
    expect(client.ended).to.equal(true);
    expect(bench.ended.map(({ jid }) => jid.resource)).to.deep.equal(['web']);
  });

  const faults: readonly [condition: string, message: string][] = [
    ['invalid-namespace', header()],
    ['invalid-namespace', '<open xmlns="urn:x" to="a.example" version="1.0"/>'],
    ['unsupported-version', `<open xmlns="${framingNs}" to="a.example"/>`],
    ['host-unknown', `<open xmlns="${framingNs}" to="x.example" version="1.0"/>`],
  ];
  for (const [condition, message] of faults) {
    const whole = message.startsWith('<stream:stream') ? message.replace(/>$/, '/>') : message;
    it(`is told ${condition}, behind an <open/>, for ${whole}`, async () => {
      const client = connects();
      const [first, error, last] = await client.says(whole);
      expect(first).to.match(/^<open /);
      expect(error).to.contain(`<${condition} `);
      expect(last).to.equal(closed);
    });
  }

  for (const [condition, message] of [
    ['not-well-formed', '<message xmlns="jabber:client">'],
    ['not-well-formed', ''],
    ['not-well-formed', ' <message xmlns="jabber:client"/>'],
    ['not-well-formed', 'hi'],
    ['restricted-xml', '<?xml version="1.0"?><message xmlns="jabber:client"/>'],
    ['not-well-formed', '<message xmlns="jabber:client"/><message xmlns="jabber:client"/>'],
    ['bad-format', opening],
  ]) {
    it(`is told ${condition} for ${JSON.stringify(message)} in a bound stream`, async () => {
      const [client] = await both();
      const [error, last] = await client.says(message ?? '');
      expect(error).to.match(new RegExp(`^<stream:error xmlns:stream=.*<${condition} `));
      expect(last).to.equal(closed);
    });
  }

  it('ends with the server', async () => {
    const [client, tcp] = await both();
    await tcp.leaves();
    await Promise.all([listener.stop(1000), turn()]);
    const [error, last] = client.hears();
    expect(error).to.contain('<system-shutdown ');
    expect(last).to.equal(closed);
  });
});
