import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { expect } from 'chai';
import { webSocketRoute } from '../../../src/web/websocket/websocket-route.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('The route of WebSockets', () => {
  it('closes the connection of a client that it refuses, although the client does not', async () => {
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
      arrived: () => undefined,
    });
    let answer = '';
    const socket = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        answer += chunk.toString();
        done();
      },
    });
    const head = {
      method: 'GET',
      parameters: {},
      query: new URLSearchParams(),
      headers: {},
      remoteAddress: '192.0.2.1',
      secure: true,
      whenLost: () => () => undefined,
    } as const;
    route.upgrade?.(head, socket, Buffer.alloc(0), {} as IncomingMessage);
    await once(socket, 'close');
    expect(answer).to.match(/^HTTP\/1\.1 400 /);
  });
});
