import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { expect } from 'chai';
import { Connection } from '../../src/streams/connection.ts';
import type { ConnectionLimits, ReadRate } from '../../src/streams/stream-connection.ts';
import { secureContextOptions, servingTls } from '../../src/tls/tls-options.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { TestAuthority } from '../tls/test-authority.ts';
import { RecordingUser } from './recording-user.ts';
import { received, SocketPairs, turn, writesOf } from './socket-pair.ts';

const quick: ReadRate = { bytesPerSecond: 1e9, burstBytes: 1e9 };
const roomy: ConnectionLimits = { outgoingBufferBytes: 64 * 1024 * 1024, writeStallMs: 1000 };

/** A way to write to a socket whose first chunk has `prefix` before it. */
function behind(prefix: string, socket: Socket): Duplex {
  let first = Buffer.from(prefix);
  const way = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      socket.write(Buffer.concat([first, chunk]));
      first = Buffer.alloc(0);
      done();
    },
  });
  socket.on('data', (chunk) => way.push(chunk)).resume();
  return way.on('close', () => socket.destroy());
}

describe('A connection', () => {
  const pairs = new SocketPairs();
  const layTls = servingTls({ single: true, contextFor: () => context });
  let context: SecureContext;
  let clock: ManualClock;
  let user: RecordingUser;
  let near: Socket;
  let far: Socket;
  let connection: Connection;

  async function open(limits: Partial<ConnectionLimits> = {}, rate: ReadRate = quick): Promise<void> {
    ({ near, far } = await pairs.open());
    user = new RecordingUser();
    connection = new Connection(near, user, { rate, limits: { ...roomy, ...limits }, layTls, clock });
  }

  beforeEach(() => {
    clock = new ManualClock();
  });

  /** Writes until the kernel takes no more; answers how much that was. */
  async function fill(): Promise<number> {
    const piece = Buffer.alloc(256 * 1024, 'x');
    let written = 0;
    while (near.writableLength < 3 * piece.length) {
      connection.write(piece);
      written += piece.length;
      await turn();
    }
    return written;
  }

  it('knows its peer', async () => {
    await open();
    expect(connection.remoteAddress).to.equal('127.0.0.1');
    expect(connection.tls).to.equal(undefined);
  });

  describe('writes', () => {
    it('all of one turn at once, in order, text as UTF-8', async () => {
      await open();
      const writes = writesOf(near);
      for (let word = 0; word < 100; word++) connection.write(`<ä${word}>`, Buffer.from('€'), '', '</>');
      expect(writes).to.deep.equal([]);
      const expected = Array.from({ length: 100 }, (_, word) => `<ä${word}>€</>`).join('');
      expect((await received(far, Buffer.byteLength(expected))).toString()).to.equal(expected);
      expect(writes).to.deep.equal([Buffer.byteLength(expected)]);
    });

    it('once for each turn that has something to say', async () => {
      await open();
      const writes = writesOf(near);
      for (const text of ['one', 'two', 'three']) {
        connection.write(text.slice(0, 2), text.slice(2));
        await turn();
      }
      await turn();
      expect(writes).to.deep.equal([3, 3, 5]);
    });

    it('what many reads have brought about before the turn is over, and the rest then', async () => {
      await open();
      const writes = writesOf(near);
      for (let read = 0; read < 300; read++) {
        connection.write('x');
        near.emit('data', Buffer.from('y'));
      }
      const early = writes.reduce((sum, bytes) => sum + bytes, 0);
      expect(writes).to.have.length.within(2, 10);
      expect(early).to.be.within(200, 300);
      await turn();
      expect(writes.reduce((sum, bytes) => sum + bytes, 0)).to.equal(300);
    });

    it('many connections of one turn each once', async () => {
      const others: number[][] = [];
      for (let index = 0; index < 5; index++) {
        await open();
        others.push(writesOf(near));
        connection.write('a');
        connection.write('b');
      }
      await turn();
      expect(others).to.deep.equal([[2], [2], [2], [2], [2]]);
    });

    it('what is much in pieces, so that slow readers show progress', async () => {
      await open();
      const writes = writesOf(near);
      connection.write(Buffer.alloc(150_000, 'x'));
      await turn();
      expect(writes).to.deep.equal([65_536, 65_536, 150_000 - 2 * 65_536]);
    });

    it('nothing any more once it has ended', async () => {
      await open();
      connection.write('last');
      connection.end();
      connection.write('too late');
      await turn();
      const bytes: Buffer[] = [];
      far.on('data', (chunk: Buffer) => bytes.push(chunk));
      await once(far, 'end');
      expect(Buffer.concat(bytes).toString()).to.equal('last');
      expect(connection.outgoingBytes).to.equal(0);
    });
  });

  describe('is lost', () => {
    it('when too much waits, but nobody hears of it in the middle of writing', async () => {
      await open({ outgoingBufferBytes: 1000 });
      connection.write('x'.repeat(1000));
      expect(connection.outgoingBytes).to.equal(1000);
      connection.write('x');
      expect(user.events).to.deep.equal([]);
      expect(connection.outgoingBytes).to.equal(0);
      connection.write('more');
      await user.has('disconnected');
      expect(user.events).to.deep.equal(['disconnected']);
      expect(near.destroyed).to.equal(true);
    });

    it('when its peer takes nothing and the limit is reached', async () => {
      await open({ outgoingBufferBytes: 500_000 });
      far.pause();
      const piece = Buffer.alloc(100_000);
      let written = 0;
      while (!near.destroyed && written < 1e8) {
        connection.write(piece);
        written += piece.length;
        expect(connection.outgoingBytes).to.be.at.most(500_000);
        await turn();
      }
      await user.has('disconnected');
      expect(written).to.be.above(500_000).and.below(1e8);
    });

    it('when the peer takes nothing for too long, and not before', async () => {
      await open();
      far.pause();
      await fill();
      clock.advance(1000);
      connection.checkStall(clock.monotonicMs());
      expect(user.events).to.deep.equal([]);
      clock.advance(1);
      connection.checkStall(clock.monotonicMs());
      expect(user.events).to.deep.equal(['disconnected']);
    });

    it('not while the peer takes something now and then', async () => {
      await open();
      far.pause();
      const written = await fill();
      clock.advance(900);
      await received(far, written - near.writableLength + 65_536);
      far.pause();
      // The kernel told of more room, and something left for it.
      await turn();
      clock.advance(900);
      connection.checkStall(clock.monotonicMs());
      expect(user.events).to.deep.equal([]);
    });

    it('not when nothing waits, however long', async () => {
      await open();
      connection.write('hello');
      await received(far, 5);
      await turn();
      clock.advance(1e9);
      connection.checkStall(clock.monotonicMs());
      far.pause();
      connection.write(Buffer.alloc(16 * 1024 * 1024));
      connection.flush();
      connection.checkStall(clock.monotonicMs());
      expect(user.events).to.deep.equal([]);
    });

    it('once, whatever ends it', async () => {
      const ends: Record<string, () => unknown> = {
        'a reset': () => far.resetAndDestroy(),
        'our decision': () => connection.destroy(),
        'their end': () => far.end(),
        'an error': () => near.destroy(new Error('broken')),
      };
      for (const [title, end] of Object.entries(ends)) {
        await open();
        connection.write('hello');
        end();
        await user.has('disconnected');
        connection.destroy();
        await turn();
        await turn();
        expect(user.events, title).to.deep.equal(['disconnected']);
        expect(near.destroyed, title).to.equal(true);
        expect(clock.pendingCount, title).to.equal(0);
      }
    });
  });

  it('is given up in a later turn if very many are lost in one', async () => {
    const opened: { readonly near: Socket; readonly user: RecordingUser }[] = [];
    for (let count = 0; count < 50; count += 1) {
      await open();
      opened.push({ near, user });
    }
    const lost = () => opened.filter((one) => one.user.events.includes('disconnected')).length;
    await turn();
    await turn();
    for (const one of opened) one.near.emit('close');
    expect(lost()).to.be.within(1, 20);
    for (const one of opened) await one.user.has('disconnected');
    expect(opened.map((one) => one.user.events)).to.deep.equal(opened.map(() => ['disconnected']));
  });

  describe('ends', () => {
    it('after everything queued has left', async () => {
      await open();
      const writes = writesOf(near);
      connection.write(Buffer.alloc(100_000, 'x'), 'bye');
      connection.end();
      expect(writes).to.have.length(2);
      expect((await received(far, 100_003)).subarray(-3).toString()).to.equal('bye');
      far.end();
      await user.has('disconnected');
      expect(clock.pendingCount).to.equal(0);
    });

    it('without the peer if that does not close', async () => {
      await open();
      connection.write('bye');
      connection.end();
      await received(far, 3);
      clock.advance(4999);
      expect(user.events).to.deep.equal([]);
      clock.advance(1);
      expect(user.events).to.deep.equal(['disconnected']);
    });

    it('once', async () => {
      await open();
      connection.end();
      connection.end();
      expect(clock.pendingCount).to.equal(1);
      connection.destroy();
      connection.end();
      expect(clock.pendingCount).to.equal(0);
    });

    it('at once without what was queued if it is destroyed', async () => {
      await open();
      const writes = writesOf(near);
      connection.write('never');
      connection.destroy();
      await turn();
      expect(writes).to.deep.equal([]);
      expect(user.events).to.deep.equal(['disconnected']);
    });
  });

  describe('reads', () => {
    it('as fast as its rate allows', async () => {
      await open({}, { bytesPerSecond: 1000, burstBytes: 100 });
      far.write(Buffer.alloc(100));
      await user.hears(100);
      expect(near.isPaused()).to.equal(false);
      far.write(Buffer.alloc(500));
      await user.hears(600);
      expect(near.isPaused()).to.equal(true);
      clock.advance(499);
      expect(near.isPaused()).to.equal(true);
      clock.advance(1);
      expect(near.isPaused()).to.equal(false);
      far.write('x');
      await user.hears(601);
    });

    it('no more, and waits for no time, when it is lost', async () => {
      await open({}, { bytesPerSecond: 1000, burstBytes: 100 });
      far.write(Buffer.alloc(600));
      await user.hears(600);
      connection.destroy();
      expect(clock.pendingCount).to.equal(0);
    });

    it('at a new rate when that is given', async () => {
      await open({}, { bytesPerSecond: 1000, burstBytes: 100 });
      connection.limitReading({ bytesPerSecond: 1000, burstBytes: 10_000 });
      far.write(Buffer.alloc(5000));
      await user.hears(5000);
      expect(near.isPaused()).to.equal(false);
    });

    it('only when nothing speaks against it', async () => {
      await open({}, { bytesPerSecond: 1000, burstBytes: 100 });
      far.write(Buffer.alloc(600));
      await user.hears(600);
      connection.pause('work');
      clock.advance(500);
      expect(near.isPaused()).to.equal(true);
      connection.resume('output');
      expect(near.isPaused()).to.equal(true);
      connection.resume('work');
      expect(near.isPaused()).to.equal(false);
    });

    it('nothing more while the peer does not take its answers', async () => {
      await open({ outgoingBufferBytes: 2 * 1024 * 1024 });
      far.pause();
      const written = await fill();
      expect(near.isPaused()).to.equal(true);
      await received(far, written);
      await connection.flushed();
      await turn();
      expect(near.isPaused()).to.equal(false);
    });
  });

  describe('tells when it is flushed', () => {
    it('at once if little waits, handing that to the socket', async () => {
      await open();
      const writes = writesOf(near);
      connection.write('hello');
      await connection.flushed();
      expect(writes).to.deep.equal([5]);
      await turn();
      expect(writes).to.deep.equal([5]);
    });

    it('when the peer has taken nearly all', async () => {
      await open();
      far.pause();
      const written = await fill();
      let flushed = false;
      const waiting = connection.flushed().then(() => {
        flushed = true;
      });
      await turn();
      expect(flushed).to.equal(false);
      await received(far, written);
      await waiting;
      expect(connection.outgoingBytes).to.be.below(65_536);
    });

    it('not while it is congested, however small the buffer is', async () => {
      await open({ outgoingBufferBytes: 65_536 });
      far.pause();
      let written = 0;
      for (; !connection.congested; written += 4096) {
        connection.write(Buffer.alloc(4096, 'x'));
        connection.flush();
      }
      let flushed = false;
      const waiting = connection.flushed().then(() => {
        flushed = true;
      });
      await turn();
      expect(flushed).to.equal(false);
      await received(far, written);
      await waiting;
      expect(connection.congested).to.equal(false);
    });

    it('when it is lost', async () => {
      await open();
      far.pause();
      await fill();
      const waiting = Promise.all([connection.flushed(), connection.flushed()]);
      connection.destroy();
      await waiting;
      await connection.flushed();
    });
  });

  describe('with TLS', () => {
    const authority = new TestAuthority();
    beforeEach(async () => {
      const { certificate, key } = await authority.issue('server', ['a.example']);
      context = createSecureContext({
        ...secureContextOptions,
        cert: readFileSync(certificate),
        key: readFileSync(key),
      });
    });

    const serve = () => connection.startTls('starttls', undefined);
    const client = (socket: Duplex = far) =>
      connectTls({ socket, servername: 'a.example', secureContext: createSecureContext({ ca: authority.pem }) });

    it('is told once that it is secure, and goes on as before', async () => {
      await open();
      connection.write('proceed');
      serve();
      expect((await received(far, 7)).toString()).to.equal('proceed');
      const secure = client();
      await once(secure, 'secureConnect');
      await user.until(() => user.events.length > 0);
      expect(user.events).to.deep.equal(['secured']);
      expect(connection.tls?.encrypted).to.equal(true);
      secure.write('hello');
      await user.hears(5);
      expect(user.bytes.toString()).to.equal('hello');
      const writes = connection.tls ? writesOf(connection.tls) : [];
      for (const word of ['a', 'b', 'c']) connection.write(word);
      expect((await received(secure, 3)).toString()).to.equal('abc');
      expect(writes).to.deep.equal([3]);
      connection.end();
      secure.end();
      await user.has('disconnected');
      expect(user.events).to.deep.equal(['secured', 'disconnected']);
      expect(near.destroyed).to.equal(true);
    });

    it('drops white space that comes in the clear before the handshake, in pieces or together with it', async () => {
      await open();
      connection.startTls('starttls', undefined, 'proceed');
      expect((await received(far, 7)).toString()).to.equal('proceed');
      far.write('\n');
      far.write(' ');
      await new Promise((resolve) => near.once('data', resolve));
      const secure = client(behind('\r\n', far));
      await once(secure, 'secureConnect');
      await user.until(() => user.events.length > 0);
      expect(user.events).to.deep.equal(['secured']);
      secure.write('hello');
      await user.hears(5);
      expect(user.bytes.toString()).to.equal('hello');
      connection.write('welcome');
      expect((await received(secure, 7)).toString()).to.equal('welcome');
      secure.destroy();
      await user.has('disconnected');
    });

    it('is lost when the peer goes instead of beginning the handshake', async () => {
      await open();
      connection.startTls('starttls', undefined, 'proceed');
      await received(far, 7);
      far.end('\n');
      await user.has('disconnected');
      expect(user.events).to.deep.equal(['disconnected']);
      expect(near.destroyed).to.equal(true);
    });

    it('keeps to its rate also before the handshake', async () => {
      await open({}, { bytesPerSecond: 1000, burstBytes: 100 });
      connection.startTls('starttls', undefined, 'proceed');
      far.write(Buffer.alloc(600, ' '));
      await once(near, 'pause');
      clock.advance(500);
      expect(near.isPaused()).to.equal(false);
    });

    it('is lost when the handshake fails', async () => {
      await open();
      serve();
      far.write('GET / HTTP/1.1\r\n\r\n');
      await user.has('disconnected');
      expect(user.events).to.deep.equal(['disconnected']);
      expect(near.destroyed).to.equal(true);
    });

    it('is lost when the peer goes in the middle of the handshake', async () => {
      await open();
      serve();
      far.resetAndDestroy();
      await user.has('disconnected');
      expect(user.events).to.deep.equal(['disconnected']);
    });

    it('keeps to its rate', async () => {
      await open({}, { bytesPerSecond: 1000, burstBytes: 100 });
      far.write(Buffer.alloc(600));
      await user.hears(600);
      serve();
      expect(connection.tls?.isPaused()).to.equal(true);
      clock.advance(500);
      expect(connection.tls?.isPaused()).to.equal(false);
      const secure = client();
      await once(secure, 'secureConnect');
      secure.write(Buffer.alloc(1000));
      await user.hears(1600);
      expect(connection.tls?.isPaused()).to.equal(true);
    });
  });
});
