import { once } from 'node:events';
import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { connected, readUntil, requestText } from '../web/http/raw-http.ts';

const here = [{ host: '127.0.0.1', port: 0 }];
const handshake = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: xmpp',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
];
const mask = [0, 0, 0, 0];

/** A frame of a client: its first byte, and a length below 126. The mask changes nothing. */
const frame = (first: number, content: string) =>
  Buffer.from([first, 0x80 | content.length, ...mask, ...Buffer.from(content)]);

/** What the close code of RFC 6455 §7.4.1 must be. */
const hostile: Readonly<Record<string, readonly [code: number, bytes: Buffer]>> = {
  'without a mask': [1002, Buffer.from([0x81, 0x01, 0x61])],
  'with a reserved bit, as compressed ones have': [1002, frame(0xc1, 'a')],
  'with an unknown opcode': [1002, frame(0x83, 'a')],
  'that goes on without a beginning': [1002, frame(0x80, 'a')],
  'that claims a length of 2^40 bytes': [1009, Buffer.from([0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, ...mask])],
  'that claims a length of 2^63 bytes': [1009, Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, ...mask])],
  'that is a ping in fragments': [1002, frame(0x09, 'a')],
  'that closes with a code that cannot be': [1002, frame(0x88, '\x03\x01')],
  'in 20,000 fragments of a byte': [
    1008,
    Buffer.concat([frame(0x01, '<'), ...Array.from({ length: 20_000 }, () => frame(0x00, 'a'))]),
  ],
};

describe('A frame of a WebSocket (RFC 6455)', () => {
  const stage = new Stage({
    settings: { listen: { c2s: here, c2sTls: [], components: [], http: here }, s2s: { enabled: false } },
  });

  async function opened() {
    const socket = await connected(stage.server.http?.port ?? 0);
    socket.write(requestText('GET /xmpp-websocket', handshake));
    const answer = await readUntil(socket, '\r\n\r\n');
    return { socket, answer };
  }

  it('is never compressed, although clients offer it', async () => {
    const { socket, answer } = await opened();
    socket.destroy();
    expect(answer)
      .to.match(/^HTTP\/1\.1 101 .*sec-websocket-protocol: xmpp/is)
      .and.not.match(/sec-websocket-extensions/i);
  });

  for (const [what, [code, bytes]] of Object.entries(hostile)) {
    it(`${what} ends the connection with ${code}`, async () => {
      const { socket } = await opened();
      socket.write(bytes);
      const [close]: Buffer[] = await once(socket, 'data');
      socket.destroy();
      expect([close?.[0], close?.readUInt16BE(2)]).to.deep.equal([0x88, code]);
    });
  }
});
