import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import type { HttpRoute } from '../../../src/routing/http-route.ts';
import type { IncomingConnection } from '../../../src/streams/acceptor.ts';
import { webSocketRoute } from '../../../src/web/websocket/websocket-route.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { connected, readUntil, requestText, TrialListener } from '../http/raw-http.ts';

const handshake = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

describe('The route of WebSockets closes the connection itself, and does not wait for the client,', () => {
  let carrier: Duplex | undefined;
  let trial: TrialListener;
  let port: number;
  let arrived: (arrival: IncomingConnection) => void;

  beforeEach(async () => {
    const route = webSocketRoute('/ws', {
      origins: ['*'],
      limits: {
        outgoingBufferBytes: 1000,
        writeStallMs: 1000,
        rate: { bytesPerSecond: 1000, burstBytes: 1000 },
        unauthenticatedBytes: 1000,
        completionMs: 1000,
      },
      messageBytes: 1000,
      isSecure: () => true,
      clock: new ManualClock(),
      arrived: (arrival) => arrived(arrival),
    });
    const watched: HttpRoute = {
      ...route,
      upgrade(head, socket, firstBytes, message) {
        carrier = socket;
        route.upgrade?.(head, socket, firstBytes, message);
      },
    };
    trial = new TrialListener([watched]);
    port = await trial.open();
  });
  afterEach(() => trial.listener.stop(0));

  it('if the handshake is wrong', async () => {
    const client = await connected(port);
    client.allowHalfOpen = true;
    client.write(requestText('GET /ws', handshake));
    expect(await readUntil(client, '\r\n\r\n')).to.match(/^HTTP\/1\.1 400 /);
    if (carrier?.closed !== true) await once(carrier as Duplex, 'close');
    client.destroy();
  });

  it('if the server has no room, whatever the client sends meanwhile', async () => {
    const refused = Promise.withResolvers<boolean | undefined>();
    arrived = (arrival) => {
      arrival.refuse();
      refused.resolve(carrier?.writableEnded);
    };
    const client = await connected(port);
    client.allowHalfOpen = true;
    const wrongFrame = Buffer.from([0xff, 0xff, 0xff, 0xff]);
    client.write(
      Buffer.concat([Buffer.from(requestText('GET /ws', [...handshake, 'Sec-WebSocket-Protocol: xmpp'])), wrongFrame]),
    );
    expect(await readUntil(client, '\x03')).to.match(/^HTTP\/1\.1 101 /);
    expect(await refused.promise).to.equal(true);
    if (carrier?.closed !== true) await once(carrier as Duplex, 'close');
    client.destroy();
  });
});
