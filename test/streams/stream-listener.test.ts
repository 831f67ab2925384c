import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { ClientStream } from '../../src/c2s/client-stream.ts';
import { bind } from '../../src/c2s/negotiation/bind.ts';
import { starttls } from '../../src/c2s/negotiation/starttls.ts';
import { Edges } from '../../src/edges/edges.ts';
import type { Acceptor } from '../../src/streams/acceptor.ts';
import { ConnectionLimiter, type ListenerLimits } from '../../src/streams/connection-limiter.ts';
import { SocketAcceptor } from '../../src/streams/socket-acceptor.ts';
import type { StreamConnection } from '../../src/streams/stream-connection.ts';
import { StreamListener } from '../../src/streams/stream-listener.ts';
import { loadCertificates } from '../../src/tls/certificates.ts';
import type { CertificatePems } from '../../src/tls/pem-contexts.ts';
import { auth, SimpleAuth } from '../c2s/simple-auth.ts';
import { type BenchOptions, header, layTls, StreamBench } from '../c2s/stream-bench.ts';
import { TestAuthority } from '../tls/test-authority.ts';
import { turn } from './socket-pair.ts';

const roomy: ListenerLimits = {
  total: 100,
  outgoing: 100,
  unauthenticated: 100,
  backlog: 10,
  address: { concurrent: 100, perSecond: 1e6, burst: 1e6 },
};

/** A client that keeps what it hears. */
class Client {
  readonly socket: Socket;
  heard = '';
  #wake = () => {};
  closed = false;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.on('data', (chunk) => {
      this.heard += chunk;
      this.#wake();
    });
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Sends, and waits for an answer that holds `word`. */
  async says(text: string, word: string): Promise<void> {
    this.socket.write(text);
    await this.#until(() => this.heard.includes(word) || this.closed);
    expect(this.heard).to.contain(word);
  }

  async ends(): Promise<void> {
    await this.#until(() => this.closed);
  }
}

/** Who can hold the connections. */
const gates: Readonly<
  Record<string, (bench: StreamBench, certificates: CertificatePems) => Acceptor<StreamConnection>>
> = {
  'in this thread': ({ deps: { limits }, clock, log }) => {
    const connection = { rate: limits.unauthenticatedRate, limits: limits.connection, layTls, clock };
    return new SocketAcceptor({ connection, backlog: roomy.backlog, log });
  },
  'through an edge': ({ deps: { limits }, log }, certificates) => {
    const { unauthenticatedRate: rate, connection } = limits;
    return new Edges(1, { rate, limits: connection, backlog: roomy.backlog, certificates }, log);
  },
};

for (const [title, makeGate] of Object.entries(gates)) {
  describe(`The listener for clients, ${title}`, () => {
    const authority = new TestAuthority();
    let certificates: CertificatePems;
    let bench: StreamBench;
    let simple: SimpleAuth;
    let listener: StreamListener;
    let port: number;
    let clients: Client[] = [];

    async function listen(limits: Partial<ListenerLimits> = {}, options: BenchOptions = {}): Promise<void> {
      bench = new StreamBench({
        features: ({ sessions }) => {
          simple = new SimpleAuth(sessions);
          return [starttls({ required: false }), simple.feature, bind(sessions)];
        },
        ...options,
      });
      listener = new StreamListener({
        newStream: (authenticated) => new ClientStream(bench.deps, authenticated),
        acceptor: makeGate(bench, certificates),
        limiter: new ConnectionLimiter({ ...roomy, ...limits }, bench.clock, bench.log),
        clock: bench.clock,
        log: bench.log,
      });
      const address = await listener.listen({ host: '127.0.0.1', port: 0, optional: false }, 'starttls');
      port = address?.port ?? 0;
    }

    beforeEach(async () => {
      const files = await authority.issue('server', ['a.example']);
      const tls = { domains: { 'a.example': files } };
      certificates = (await loadCertificates({ domains: ['a.example'], dataDir: authority.directory, tls })).pems;
    });

    afterEach(async () => {
      for (const { socket } of clients) socket.destroy();
      clients = [];
      await listener.stop(0);
      expect(bench.log.alarms).to.deep.equal([]);
    });

    function client(toPort = port): Client {
      const one = new Client(toPort);
      clients.push(one);
      return one;
    }

    /** Clients that have heard from the server. */
    async function open(count: number): Promise<Client[]> {
      const opened = Array.from({ length: count }, () => client());
      await Promise.all(opened.map((one) => one.says(header(), 'features')));
      return opened;
    }

    async function refused(): Promise<void> {
      const one = client();
      await one.ends();
      expect(one.heard).to.equal('');
    }

    async function gone(count: number): Promise<void> {
      while (listener.connections > count) await turn();
      expect(listener.connections).to.equal(count);
    }

    it('bounds all connections together', async () => {
      await listen({ total: 3 });
      const opened = await open(3);
      await refused();
      expect(listener.connections).to.equal(3);
      opened[0]?.socket.destroy();
      await gone(2);
      await open(1);
    });

    it('bounds those that have not authenticated, and lets the others stay (RFC 6120 §13.12)', async () => {
      await listen({ unauthenticated: 2 });
      const [one, two] = await open(2);
      await refused();
      await one?.says(auth('continue'), 'success');
      await open(1);
      await refused();
      await two?.says(auth('bind'), 'success');
      await open(1);
      expect(listener.connections).to.equal(4);
    });

    it('counts who is leaving with those that have authenticated', async () => {
      await listen({ unauthenticated: 1 });
      const [one] = await open(1);
      if (one) one.socket.allowHalfOpen = true;
      await one?.says(auth('bind'), 'success');
      await one?.says('</stream:stream>', '</stream:stream>');
      await open(1);
      expect(listener.connections).to.equal(2);
    });

    it('says in the log that it turns connections away, however many these are', async () => {
      await listen({ total: 1 });
      await open(1);
      const warnings = () => bench.log.lines.filter((line) => line.startsWith('warn'));
      for (let n = 0; n < 3; n++) await refused();
      expect(warnings()).to.deep.equal([]);
      bench.clock.advance(1000);
      await refused();
      bench.clock.advance(30_000);
      expect(warnings()).to.deep.equal(['warn connections refused {"limit":"total","connections":3}']);
      bench.clock.advance(31_000);
      bench.clock.advance(600_000);
      expect(warnings()[1]).to.equal('warn connections refused {"limit":"total","connections":1}');
      expect(warnings()).to.have.length(2);
    });

    it('bounds those of one address (XEP-0205 §3), by number and by time', async () => {
      await listen({ address: { concurrent: 2, perSecond: 1, burst: 3 } });
      const [one] = await open(2);
      await refused();
      one?.socket.destroy();
      await gone(1);
      await open(1);
      expect(listener.connections).to.equal(2);
      clients[1]?.socket.destroy();
      await gone(1);
      await refused();
      bench.clock.advance(1000);
      await open(1);
    });

    it('does without an address that may be missing, and not without one that may not', async () => {
      await listen();
      const taken = { host: '127.0.0.1', port };
      expect(await listener.listen({ ...taken, optional: true }, 'starttls')).to.equal(undefined);
      expect(bench.log.lines.filter((line) => line.startsWith('warn'))).to.have.length(1);
      const failure = await listener
        .listen({ ...taken, optional: false }, 'starttls')
        .catch((error: NodeJS.ErrnoException) => error.code);
      expect(failure).to.equal('EADDRINUSE');
    });

    it('listens on several addresses at once', async () => {
      await listen();
      const other = await listener.listen({ host: '127.0.0.1', port: 0, optional: false }, 'starttls');
      await open(1);
      await client(other?.port).says(header(), 'features');
      expect(listener.connections).to.equal(2);
    });

    it('keeps the time of its streams', async () => {
      await listen();
      const [one] = await open(1);
      for (let second = 0; second < 30; second++) bench.clock.advance(1000);
      await turn();
      expect(one?.closed).to.equal(false);
      bench.clock.advance(1000);
      await one?.ends();
      expect(one?.heard).to.contain('connection-timeout');
    });

    describe('stops (RFC 6120 §4.9.3.19)', () => {
      it('with a word to every client, and when they are gone', async () => {
        await listen();
        const opened = await open(3);
        await opened[0]?.says(auth('bind'), 'success');
        await listener.stop(60_000);
        for (const one of opened) {
          await one.ends();
          expect(one.heard).to.match(/<system-shutdown [^>]*>.*<\/stream:error><\/stream:stream>$/);
        }
        expect(listener.connections).to.equal(0);
        expect(bench.directory.size).to.equal(0);
        expect(bench.clock.pendingCount).to.equal(0);
        const late = client();
        await late.ends();
        expect(late.heard).to.equal('');
      });

      it('without those that do not go in time', async () => {
        await listen();
        const stubborn = client();
        await stubborn.says(header(), 'features');
        stubborn.socket.allowHalfOpen = true;
        let stopped = false;
        const stopping = listener.stop(3000).then(() => {
          stopped = true;
        });
        await stubborn.says('', 'system-shutdown');
        bench.clock.advance(2999);
        await turn();
        expect(stopped).to.equal(false);
        bench.clock.advance(1);
        await stopping;
        expect(listener.connections).to.equal(0);
        expect(bench.clock.pendingCount).to.equal(0);
      });

      it('in time also if what a client has sent is not dealt with', async () => {
        await listen({}, { route: () => new Promise(() => undefined) });
        const one = client();
        await one.says(header() + auth('bind'), 'success');
        await one.says(`<enable xmlns='urn:xmpp:sm:3'/>`, 'enabled');
        const taken = bench.routed.length;
        one.socket.write("<message id='never done'/>");
        while (bench.routed.length === taken) await turn();
        one.socket.allowHalfOpen = true;
        const stopping = listener.stop(3000);
        bench.clock.advance(1500);
        await one.says('', 'system-shutdown');
        bench.clock.advance(1500);
        await stopping;
        expect(listener.connections).to.equal(0);
      });

      it('at once if nobody is there', async () => {
        await listen();
        await listener.stop(60_000);
        expect(bench.clock.pendingCount).to.equal(0);
      });
    });

    describe('remembers nothing of a client that left', () => {
      const bindRequest = "<iq id='b' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
      const tls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
      /** What a client has said when it leaves, and the last thing it heard. */
      const stages: Record<string, readonly [said: string, heard: string]> = {
        'without a word': ['', ''],
        'in the header': ['<stream:stream', ''],
        'after the header': [header(), 'features'],
        'in a frame': [`${header()}<auth`, 'features'],
        'in the TLS handshake': [header() + tls, 'proceed'],
        'in authentication': [header() + auth('more'), 'more'],
        'while authentication is at work': [header() + auth('continue', true), 'features'],
        'after authentication': [header() + auth('restart'), 'success'],
        'before binding': [`${header()}${auth('restart')}${header()}`, '<bind'],
        'while its account is being loaded': [`${header()}${auth('continue')}${bindRequest}`, 'success'],
        bound: [`${header()}${auth('continue')}${bindRequest}`, '<jid>'],
        'bound on the way': [header() + auth('bind'), 'success'],
        'while a stanza is at work': [`${header()}${auth('bind')}<message id='slow'/>`, 'success'],
        'after the end of the stream': [`${header()}${auth('bind')}</stream:stream>`, '</stream:stream>'],
        'after an error': [`${header()}<x xmlns='urn:x'/>`, 'unsupported-stanza-type'],
      };
      const ways: Record<string, (socket: Socket) => void> = {
        'closing the connection': (socket) => socket.end(),
        'aborting it': (socket) => socket.resetAndDestroy(),
      };
      for (const [stage, [said, word]] of Object.entries(stages)) {
        for (const [way, leave] of Object.entries(ways)) {
          it(`${stage}, ${way}`, async () => {
            const waiting: (() => void)[] = [];
            const later = () => new Promise<void>((resolve) => waiting.push(resolve));
            await listen(
              { total: 2, address: { concurrent: 2, perSecond: 1e6, burst: 1e6 } },
              {
                route: ({ id }) => (id === 'slow' ? later() : undefined),
                ...(stage.includes('loaded')
                  ? { account: (jid) => later().then(() => bench.account(jid.toString())) }
                  : {}),
              },
            );
            const timers = bench.clock.pendingCount;
            for (let turns = 0; turns < 3; turns++) {
              const one = client();
              await once(one.socket, 'connect');
              await one.says(said, word);
              while (listener.connections === 0) await turn();
              leave(one.socket);
              await gone(0);
              simple.goOn();
              for (const go of waiting.splice(0)) go();
              await turn();
              expect(bench.directory.size).to.equal(0);
              expect(bench.clock.pendingCount).to.equal(timers);
            }
            expect(new Set(bench.ended).size).to.equal(bench.ended.length);
            await open(2);
          });
        }
      }
    });
  });
}
