import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { Edges } from '../../src/edges/edges.ts';
import type { ConnectionLimits, ReadRate, StreamConnection } from '../../src/streams/stream-connection.ts';
import { loadCertificates } from '../../src/tls/certificates.ts';
import type { CertificatePems } from '../../src/tls/pem-contexts.ts';
import { RecordingUser } from '../streams/recording-user.ts';
import { received, turn } from '../streams/socket-pair.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { TestAuthority } from '../tls/test-authority.ts';

const roomy: ConnectionLimits = { outgoingBufferBytes: 64 * 1024 * 1024, writeStallMs: 60_000 };
const quick: ReadRate = { bytesPerSecond: 1e9, burstBytes: 1e9 };

/** A stream's place. */
class Stream extends RecordingUser {
  connection!: StreamConnection;
}

describe('A connection that an edge holds', () => {
  const authority = new TestAuthority();
  let log: RecordingLog;
  let edges: Edges;
  let far: Socket[] = [];
  let address: AddressInfo;
  let arrivals: Stream[] = [];
  let refuses = false;
  let wake = () => {};

  async function certificates(name: string): Promise<CertificatePems> {
    const files = await authority.issue(name, ['a.example']);
    const tls = { domains: { 'a.example': files } };
    return (await loadCertificates({ domains: ['a.example'], dataDir: authority.directory, tls })).pems;
  }

  async function start(
    options: { count?: number; limits?: Partial<ConnectionLimits>; rate?: ReadRate; tls?: 'starttls' | 'direct' } = {},
  ): Promise<void> {
    const { count = 1, limits, rate = quick, tls = 'starttls' } = options;
    const bounds = { ...roomy, ...limits };
    log = new RecordingLog();
    edges = new Edges(count, { rate, limits: bounds, backlog: 100, certificates: await certificates('first') }, log);
    address = await edges.open({ host: '127.0.0.1', port: 0 }, tls, (arrival) => {
      if (refuses) return arrival.refuse();
      const stream = new Stream();
      stream.connection = arrival.admit(stream);
      if (tls === 'direct') stream.connection.startTls('direct', undefined);
      arrivals.push(stream);
      wake();
    });
  }

  beforeEach(() => {
    refuses = false;
    arrivals = [];
  });

  afterEach(async () => {
    for (const socket of far) socket.destroy();
    far = [];
    await edges.end();
    expect(log.alarms).to.deep.equal([]);
  });

  function dial(): Socket {
    const socket = connect({ host: '127.0.0.1', port: address.port, allowHalfOpen: true });
    socket.on('error', () => socket.destroy());
    far.push(socket);
    return socket;
  }

  /** Both ends of a new connection. */
  async function open(): Promise<{ stream: Stream; peer: Socket }> {
    const count = arrivals.length;
    const peer = dial();
    while (arrivals.length === count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const stream = arrivals[count];
    if (!stream) throw new Error('nobody came');
    return { stream, peer };
  }

  function secure(peer: Socket): TLSSocket {
    const secureContext = createSecureContext({ ca: authority.pem });
    const tls = connectTls({ socket: peer, servername: 'a.example', secureContext });
    tls.on('error', () => tls.destroy());
    return tls;
  }

  it('carries bytes both ways, in order, and knows its peer', async () => {
    await start();
    const { stream, peer } = await open();
    expect(stream.connection.remoteAddress).to.equal('127.0.0.1');
    expect(stream.connection.secure).to.equal(false);
    const text = Array.from({ length: 20_000 }, (_, word) => `<ä${word}>`).join('');
    for (let at = 0; at < text.length; at += 999)
      stream.connection.write(text.slice(at, at + 99), Buffer.from(text.slice(at + 99, at + 999)));
    expect((await received(peer, Buffer.byteLength(text))).toString()).to.equal(text);
    peer.write(text);
    await stream.hears(Buffer.byteLength(text));
    expect(stream.bytes.toString()).to.equal(text);
    expect(stream.connection.outgoingBytes).to.equal(0);
  });

  it('is turned away without a byte being read', async () => {
    refuses = true;
    await start();
    const peer = dial();
    peer.write('hello');
    peer.resume();
    await new Promise((resolve) => peer.on('close', resolve));
    expect(peer.bytesRead).to.equal(0);
    expect(arrivals).to.deep.equal([]);
  });

  it('serves many on several threads that share a port', async () => {
    await start({ count: 3 });
    for (let index = 0; index < 30; index++) {
      const { stream, peer } = await open();
      stream.connection.write(`hello ${index}`);
      expect((await received(peer, 7)).toString()).to.contain('hello');
    }
  });

  it('does not share a port with somebody else', async () => {
    await start({ count: 2 });
    const other = createServer().listen({ host: '127.0.0.1', port: 0, reusePort: true });
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const failure = await edges
      .open({ host: '127.0.0.1', port }, 'starttls', () => {})
      .catch((error: NodeJS.ErrnoException) => error.code);
    expect(failure).to.equal('EADDRINUSE');
    other.close();
  });

  it('closes a port, and keeps its connections', async () => {
    await start();
    const { stream, peer } = await open();
    edges.closePort(address);
    // Closed when it has answered, and it answers in order.
    await edges.renew({ rate: quick, limits: roomy, certificates: await certificates('second') });
    const [error] = await once(connect(address.port, '127.0.0.1'), 'error');
    expect(error).to.have.property('code', 'ECONNREFUSED');
    stream.connection.write('still here');
    await received(peer, 10);
  });

  it('lets nobody in once it is closed', async () => {
    await start();
    const { stream, peer } = await open();
    edges.close();
    // Closed when it has answered, and it answers in order.
    await edges.renew({ rate: quick, limits: roomy, certificates: await certificates('second') });
    const late = connect({ host: '127.0.0.1', port: address.port });
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).to.equal('ECONNREFUSED');
    stream.connection.write('still here');
    await received(peer, 10);
  });

  describe('ends', () => {
    it('when its peer goes, after what it has said', async () => {
      await start();
      for (const leave of [
        (peer: Socket) => peer.end('bye'),
        (peer: Socket) => peer.write('bye', () => peer.resetAndDestroy()),
      ]) {
        const { stream, peer } = await open();
        leave(peer);
        await stream.has('disconnected');
        expect(stream.events.at(-1)).to.equal('disconnected');
        stream.connection.destroy();
        stream.connection.write('too late');
        await turn();
        expect(stream.events.filter((event) => event === 'disconnected')).to.have.length(1);
      }
    });

    it('by our decision: at once, or after the last word', async () => {
      await start();
      const { stream, peer } = await open();
      const ended = once(peer, 'end');
      stream.connection.write('last');
      stream.connection.end();
      stream.connection.write('too late');
      expect(stream.connection.ended).to.equal(true);
      expect((await received(peer, 4)).toString()).to.equal('last');
      peer.resume();
      await ended;
      expect(peer.bytesRead).to.equal(4);
      peer.end();
      await stream.has('disconnected');
      const { stream: other, peer: dropped } = await open();
      other.connection.destroy();
      expect(other.events).to.deep.equal(['disconnected']);
      await once(dropped.resume(), 'end');
    });

    it('when too much waits, but nobody hears of it in the middle of writing', async () => {
      await start({ limits: { outgoingBufferBytes: 100_000 } });
      const { stream } = await open();
      stream.connection.write('x'.repeat(100_000));
      expect(stream.connection.outgoingBytes).to.equal(100_000);
      expect(stream.connection.congested).to.equal(true);
      stream.connection.write('x');
      expect(stream.connection.ended).to.equal(true);
      expect(stream.events).to.deep.equal([]);
      await stream.has('disconnected');
    });

    it('when its peer takes nothing and the limit is reached', async () => {
      await start({ limits: { outgoingBufferBytes: 500_000 } });
      const { stream, peer } = await open();
      peer.pause();
      let written = 0;
      while (!stream.connection.ended && written < 1e9) {
        stream.connection.write(Buffer.alloc(100_000));
        written += 100_000;
        await turn();
      }
      await stream.has('disconnected');
      expect(written).to.be.above(500_000).and.below(1e9);
    });

    it('when its peer takes nothing for too long', async () => {
      await start({ limits: { writeStallMs: 1 } });
      const { stream, peer } = await open();
      peer.pause();
      stream.connection.write(Buffer.alloc(30_000_000));
      await stream.has('disconnected');
    });
  });

  describe('is not read while it is paused', () => {
    it('not even what the edge has read already', async () => {
      await start();
      const { stream, peer } = await open();
      peer.write('one');
      await stream.hears(3);
      stream.connection.pause('work');
      stream.connection.pause('shutdown');
      peer.write('two');
      // Another connection of the same edge, so that what was sent before has been read.
      const { stream: other, peer: witness } = await open();
      witness.write('here');
      await other.hears(4);
      stream.connection.resume('work');
      await turn();
      expect(stream.bytes.toString()).to.equal('one');
      stream.connection.resume('shutdown');
      await stream.hears(6);
      expect(stream.bytes.toString()).to.equal('onetwo');
    });

    it('and then hears the rest before the end', async () => {
      await start();
      const { stream, peer } = await open();
      let held = false;
      const take = stream.received.bind(stream);
      // Paused in the middle of what has arrived together with the end.
      stream.received = (chunk) => {
        take(chunk);
        if (held) return;
        held = true;
        stream.connection.pause('work');
      };
      peer.write('a');
      await stream.hears(1);
      peer.write('b');
      peer.end('c');
      const { stream: other, peer: witness } = await open();
      witness.write('here');
      await other.hears(4);
      expect(stream.bytes.toString()).to.equal('a');
      expect(stream.events).to.deep.equal([]);
      stream.connection.resume('work');
      await stream.has('disconnected');
      expect(stream.bytes.toString()).to.equal('abc');
    });

    it('by the rate of the edge, until it is another', async () => {
      await start({ rate: { bytesPerSecond: 1, burstBytes: 10 } });
      const { stream, peer } = await open();
      peer.write('x'.repeat(2000));
      await stream.hears(2000);
      peer.write('half an hour later');
      const { stream: other, peer: witness } = await open();
      other.connection.limitReading(quick);
      witness.write('x'.repeat(20));
      await other.hears(20);
      witness.write('heard');
      await other.hears(25);
      expect(stream.bytes.length).to.equal(2000);
    });
  });

  it('says when little waits to leave', async () => {
    await start();
    const { stream, peer } = await open();
    peer.pause();
    const much = 30_000_000;
    stream.connection.write(Buffer.alloc(much));
    let flushed = false;
    const flushing = stream.connection.flushed().then(() => {
      flushed = true;
    });
    const { stream: other, peer: witness } = await open();
    other.connection.write('x');
    await received(witness, 1);
    expect(flushed).to.equal(false);
    expect(stream.connection.congested).to.equal(true);
    expect(stream.connection.outgoingBytes).to.be.above(1_000_000);
    await Promise.all([received(peer, much), flushing]);
    await stream.connection.flushed();
    expect(stream.connection.congested).to.equal(false);
  });

  describe('with TLS', () => {
    it('that begins in the course of the stream', async () => {
      await start();
      const { stream, peer } = await open();
      stream.connection.startTls('starttls', 'a.example', 'proceed');
      expect(stream.connection.secure).to.equal(true);
      expect(stream.connection.channelBindings).to.deep.equal([]);
      expect((await received(peer, 7)).toString()).to.equal('proceed');
      const tls = secure(peer);
      tls.write('hello');
      await stream.hears(5);
      expect(stream.events[0]).to.equal('secured');
      stream.connection.write('welcome');
      expect((await received(tls, 7)).toString()).to.equal('welcome');
      const exporter = stream.connection.channelBindings.find(({ type }) => type === 'tls-exporter');
      const exported = tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
      expect(exporter?.data().equals(exported)).to.equal(true);
      const unique = stream.connection.channelBindings.find(({ type }) => type === 'tls-unique');
      expect(unique?.data().equals(tls.getFinished() ?? Buffer.alloc(0))).to.equal(true);
    });

    it('from the first byte', async () => {
      await start({ tls: 'direct' });
      const { stream, peer } = await open();
      const tls = secure(peer);
      tls.write('hello');
      await stream.hears(5);
      expect(stream.events[0]).to.equal('secured');
    });

    it('is lost when something came in the clear after it was asked for (RFC 6120 §5.4.3.3)', async () => {
      await start();
      const { stream, peer } = await open();
      peer.write('one');
      await stream.hears(3);
      peer.write('two');
      // The edge may have read it, and be on its way with it.
      stream.connection.startTls('starttls', 'a.example', 'proceed');
      await stream.has('disconnected');
      expect(stream.bytes.toString()).to.equal('one');
    });

    it('is lost when the handshake fails', async () => {
      await start({ tls: 'direct' });
      const { stream, peer } = await open();
      peer.write('GET / HTTP/1.1\r\n\r\n');
      await stream.has('disconnected');
      expect(stream.events).to.deep.equal(['disconnected']);
    });

    it('shows the certificate of the day', async () => {
      await start({ tls: 'direct' });
      const subject = async () => {
        const { peer } = await open();
        const tls = secure(peer);
        await once(tls, 'secureConnect');
        return tls.getPeerCertificate().subject.CN;
      };
      expect(await subject()).to.equal('first');
      await edges.renew({ rate: quick, limits: roomy, certificates: await certificates('second') });
      expect(await subject()).to.equal('second');
    });
  });
});
