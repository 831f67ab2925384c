import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { WebSocket, WebSocketServer } from 'ws';
import { WebSocketConnection, type WebSocketLimits } from '../../../src/web/websocket/websocket-connection.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const limits: WebSocketLimits = {
  outgoingBufferBytes: 1_000_000,
  writeStallMs: 60_000,
  rate: { bytesPerSecond: 1000, burstBytes: 10_000 },
  unauthenticatedBytes: 5000,
  completionMs: 30_000,
};

describe('The connection of a WebSocket', () => {
  let http: Server;
  let clock: ManualClock;
  let client: WebSocket;
  let connection: WebSocketConnection;
  let carrier: Duplex;
  let socket: WebSocket;
  let received: string[];
  let disconnected: Promise<void>;

  async function connect(options: { autoPong?: boolean } = {}): Promise<void> {
    clock = new ManualClock();
    received = [];
    http = createServer();
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    const made = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    disconnected = gone.promise;
    http.on('upgrade', (request, upgraded, head) =>
      server.handleUpgrade(request, upgraded, head, (webSocket) => {
        carrier = upgraded;
        socket = webSocket;
        const user = {
          received: (chunk: Buffer) => void received.push(chunk.toString()),
          secured: () => undefined,
          disconnected: gone.resolve,
        };
        const deps = { remoteAddress: '192.0.2.1', secure: false, limits, clock };
        connection = new WebSocketConnection(webSocket, upgraded, user, deps);
        made.resolve();
      }),
    );
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, options);
    await Promise.all([once(client, 'open'), made.promise]);
  }

  afterEach(async () => {
    client.terminate();
    await disconnected;
    http.close();
  });

  /** The time goes on, and the listener looks at the connection. */
  async function passes(ms: number): Promise<void> {
    await clock.advance(ms);
    connection.checkStall(clock.monotonicMs());
  }

  /** All bytes that the client has sent have arrived: it gets the answer to a ping. */
  async function arrived(): Promise<void> {
    client.ping();
    await once(client, 'pong');
  }

  it('pings a silent client, and ends after two pings without an answer (RFC 7395 §3.8)', async () => {
    await connect({ autoPong: false });
    let pings = 0;
    client.on('ping', () => {
      pings += 1;
    });
    await passes(44_000);
    for (const count of [1, 2]) {
      const ping = once(client, 'ping');
      await passes(46_000);
      await ping;
      expect(pings).to.equal(count);
    }
    const closed = once(client, 'close');
    await passes(46_000);
    await Promise.all([closed, disconnected]);
  });

  it('goes on with a client that answers pings', async () => {
    await connect();
    for (let round = 0; round < 5; round++) {
      const answered = once(carrier, 'data');
      await passes(46_000);
      await answered;
    }
    expect(connection.ended).to.equal(false);
  });

  it('ends if a message does not become complete in time; pings are no part of it', async () => {
    await connect();
    client.send('<message', { fin: false });
    await arrived();
    await passes(29_000);
    expect(connection.ended).to.equal(false);
    const closed = once(client, 'close');
    await passes(2000);
    expect((await closed)[0]).to.equal(1008);
  });

  it('does not wait long for a client that has sent a wrong frame and does not close', async () => {
    await connect();
    client.pause();
    const fault = once(socket, 'error');
    const withoutMask = Buffer.from([0x81, 0x01, 0x61]);
    (Reflect.get(client, '_socket') as Duplex).write(withoutMask);
    await fault;
    expect(connection.ended).to.equal(true);
    await clock.advance(5000);
    await disconnected;
  });

  it('forgets the part when the message is complete', async () => {
    await connect();
    client.send('<mess', { fin: false });
    client.send('age/>');
    await arrived();
    await passes(31_000);
    expect(received).to.deep.equal(['<message/>']);
    expect(connection.ended).to.equal(false);
  });

  it('stops reading a client that sends too fast, until its time has come', async () => {
    await connect();
    connection.limitReading({ bytesPerSecond: 1000, burstBytes: 10_000 });
    client.send('x'.repeat(15_000));
    client.send('y');
    while (received.length === 0) await once(carrier, 'data');
    expect(received.map(([first]) => first)).to.include('x');
    expect(carrier.isPaused()).to.equal(true);
    await clock.advance(6000);
    expect(carrier.isPaused()).to.equal(false);
  });

  it('is lost when its client reads nothing', async () => {
    await connect();
    client.pause();
    const part = 'x'.repeat(100_000);
    for (let round = 0; round < 200 && !connection.ended; round++) {
      connection.write(part);
      connection.flush();
    }
    expect(connection.ended).to.equal(true);
    await disconnected;
  });

  it('sends messages of every size whole, and in order with its pings', async () => {
    await connect();
    const sizes = [1, 125, 126, 65_535, 65_536, 200_000];
    const messages: number[] = [];
    client.on('message', (data: Buffer) => messages.push(data.length));
    client.on('ping', () => messages.push(0));
    for (const size of sizes) connection.write('é'.repeat(size >> 1), 'x'.repeat(size % 2));
    connection.flush();
    await passes(46_000);
    connection.write('x');
    connection.end();
    await once(client, 'close');
    expect(messages).to.deep.equal([...sizes, 0, 1]);
  });

  it('sends nothing after the close frame of its client', async () => {
    await connect();
    const messages: string[] = [];
    client.on('message', (data: Buffer) => messages.push(data.toString()));
    client.close();
    const closing = once(client, 'close');
    await once(carrier, 'data');
    connection.write('<late/>');
    connection.flush();
    await closing;
    expect(messages).to.deep.equal([]);
  });

  it('hands over all that was written when it ends', async () => {
    await connect();
    const messages: string[] = [];
    client.on('message', (data: Buffer) => messages.push(data.toString()));
    connection.write('<a', Buffer.from(' b="c"'), '/>');
    connection.write('<d/>');
    connection.end();
    connection.write('<lost/>');
    const [code] = await once(client, 'close');
    expect([messages, code]).to.deep.equal([['<a b="c"/>', '<d/>'], 1000]);
  });
});
