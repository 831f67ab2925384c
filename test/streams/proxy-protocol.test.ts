import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import fc from 'fast-check';
import { readProxyHeader } from '../../src/streams/proxy-header.ts';
import { awaitProxyHeader, clientAddressOf } from '../../src/streams/proxy-protocol.ts';
import { Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { headerFor } from '../support/test-client.ts';
import { SocketPairs } from './socket-pair.ts';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** A header of version 2. */
function version2(command: number, family: number, addresses: Buffer, more = Buffer.alloc(0)): Buffer {
  const length = addresses.length + more.length;
  return Buffer.concat([signature, Buffer.from([command, family, length >> 8, length & 0xff]), addresses, more]);
}

const ports = [0x30, 0x39, 0x01, 0xbb];
const tcp4 = Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, ...ports]);
const tcp6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000007', 'hex'),
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from(ports),
]);

/** What a proxy sends whose own address is one of IPv6 on a socket for both. */
const mapped4 = Buffer.concat([Buffer.from('00000000000000000000ffffcb007107', 'hex'), tcp6.subarray(16)]);

const right: readonly (readonly [what: string, header: Buffer, address: string | undefined])[] = [
  ['version 1, IPv4', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 12345 443\r\n'), '203.0.113.7'],
  ['version 1, IPv6', Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 12345 443\r\n'), '2001:db8::7'],
  ['version 1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['version 1, unknown with addresses', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), undefined],
  ['version 2, IPv4', version2(0x21, 0x11, tcp4), '203.0.113.7'],
  ['version 2, IPv4 with more', version2(0x21, 0x11, tcp4, Buffer.from([4, 0, 2, 0, 0])), '203.0.113.7'],
  ['version 2, IPv6', version2(0x21, 0x21, tcp6), '2001:db8:0:0:0:0:0:7'],
  ['version 2, IPv4 in the form of IPv6', version2(0x21, 0x21, mapped4), '203.0.113.7'],
  ['version 2, a Unix socket', version2(0x21, 0x31, Buffer.alloc(216)), undefined],
  ['version 2, unspecified', version2(0x21, 0, Buffer.alloc(0)), undefined],
  ['version 2, LOCAL', version2(0x20, 0x11, tcp4), undefined],
  ['version 2, LOCAL without addresses', version2(0x20, 0, Buffer.alloc(0)), undefined],
];

const wrong: readonly (readonly [what: string, header: Buffer])[] = [
  ['a stream header', Buffer.from('<?xml version="1.0"?>')],
  ['a TLS handshake', Buffer.from([0x16, 0x03, 0x01])],
  ['lower case', Buffer.from('proxy TCP4 203.0.113.7 10.0.0.1 12345 443\r\n')],
  ['an address of the other family', Buffer.from('PROXY TCP4 ::1 ::1 12345 443\r\n')],
  ['an address that is none', Buffer.from('PROXY TCP4 203.0.113.777 10.0.0.1 12345 443\r\n')],
  ['a port that is too large', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 65536 443\r\n')],
  ['a port with a zero before it', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 0123 443\r\n')],
  ['too few fields', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 12345\r\n')],
  ['too many fields', Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 12345 443 1\r\n')],
  ['two spaces', Buffer.from('PROXY TCP4  203.0.113.7 10.0.0.1 12345 443\r\n')],
  ['another protocol', Buffer.from('PROXY UDP4 203.0.113.7 10.0.0.1 12345 443\r\n')],
  ['no end', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`)],
  ['version 3', version2(0x31, 0x11, tcp4)],
  ['an unknown command', version2(0x22, 0x11, tcp4)],
  ['datagrams', version2(0x21, 0x12, tcp4)],
  ['too few addresses', version2(0x21, 0x21, tcp4)],
  ['too much behind the addresses', version2(0x21, 0x11, tcp4, Buffer.alloc(2000))],
];

describe('The PROXY protocol', () => {
  for (const [what, header, address] of right) {
    it(`names the client: ${what}`, () => {
      const behind = Buffer.concat([header, Buffer.from('<stream')]);
      expect(readProxyHeader(behind)).to.deep.equal({ length: header.length, address });
    });

    it(`can be cut anywhere: ${what}`, () => {
      for (let length = 0; length < header.length; length++)
        expect(readProxyHeader(header.subarray(0, length)), String(length)).to.equal('incomplete');
    });
  }

  for (const [what, header] of wrong) {
    it(`does not begin with ${what}`, () => {
      expect(readProxyHeader(header)).to.equal('invalid');
    });
  }

  it('never throws, and never reads further than it may', () => {
    const start = fc.constantFrom(Buffer.alloc(0), signature, Buffer.from('PROXY TCP4 '), signature.subarray(0, 5));
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (first, rest) => {
        const bytes = Buffer.concat([first, rest]);
        const header = readProxyHeader(bytes);
        if (typeof header !== 'string') expect(header.length).to.be.at.most(bytes.length);
      }),
    );
  });

  describe('on a socket', () => {
    const pairs = new SocketPairs();

    it('leaves the bytes behind the header, however they come', async () => {
      const { near, far } = await pairs.open();
      const ready = new Promise<void>((resolve) => awaitProxyHeader(near, new ManualClock(), resolve));
      const whole = Buffer.concat([right[4]?.[1] ?? Buffer.alloc(0), Buffer.from('behind')]);
      for (const byte of whole) far.write(Buffer.of(byte));
      await ready;
      expect(clientAddressOf(near)).to.equal('203.0.113.7');
      far.end();
      expect(await text(near)).to.equal('behind');
    });

    it('closes a connection without a header in time, or with a wrong one', async () => {
      const clock = new ManualClock();
      const [slow, other] = [await pairs.open(), await pairs.open()];
      for (const { near } of [slow, other]) awaitProxyHeader(near, clock, () => expect.fail('ready'));
      slow.far.write('PROXY ');
      other.far.write('GET / HTTP/1.1\r\n');
      await once(other.near, 'close');
      const closed = once(slow.near, 'close');
      await clock.advance(5000);
      await closed;
    });
  });
});

describe('Listeners with the PROXY protocol', () => {
  const proxied = [{ host: '127.0.0.1', port: 0, proxyProtocol: ['127.0.0.1', '10.0.0.0/8'] }];
  const stage = new Stage({
    settings: {
      listen: { c2s: proxied, c2sTls: proxied, components: [], http: proxied, https: proxied },
      s2s: { enabled: false },
      authentication: { scramIterations: 4096 },
      storage: { quickCheck: false, ballastBytes: 0 },
      limits: { connections: { perIpConcurrent: 1 } },
    },
  });
  const header = (address: string) => `PROXY TCP4 ${address} 127.0.0.1 12345 5222\r\n`;

  it('limit clients by their own address', async () => {
    const one = await stage.plainClient();
    one.sends(`${header('203.0.113.1')}${headerFor('localhost')}`);
    await one.receivesHeader();
    const two = await stage.plainClient();
    two.sends(header('203.0.113.1'), headerFor('localhost'));
    await two.receivesClosed();
    const three = await stage.plainClient();
    three.sends(header('203.0.113.2'), headerFor('localhost'));
    await three.receivesHeader();
  });

  it('take a TLS handshake behind the header', async () => {
    const { host, port, tls } = stage.server.c2sTls;
    const plain = connect({ host, port });
    plain.write(header('203.0.113.4'));
    const socket = connectTls({ socket: plain, ...tls });
    await once(socket, 'secureConnect');
    socket.destroy();
  });

  it('refuse connections from other addresses, and without a header', async () => {
    const { host, port } = stage.server.c2s;
    const stranger = connect({ host, port, localAddress: '127.0.0.3' });
    stranger.on('error', () => undefined);
    stranger.write(`${header('203.0.113.5')}${headerFor('localhost')}`);
    await once(stranger, 'close');
    const bare = await stage.plainClient();
    bare.sends(headerFor('localhost'));
    await bare.receivesClosed();
  });

  it('serve HTTP and HTTPS behind the header', async () => {
    const { http, https } = stage.server;
    const request = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    const plain = connect({ host: http?.host ?? '', port: http?.port ?? 0 });
    plain.write(header('203.0.113.6') + request);
    expect(await text(plain)).to.match(/^HTTP\/1\.1 200 /);
    const below = connect({ host: https?.host ?? '', port: https?.port ?? 0 });
    below.write(version2(0x21, 0x11, tcp4));
    const secure = connectTls({ socket: below, ...https?.tls, ALPNProtocols: ['http/1.1'] });
    secure.write(request);
    expect(await text(secure)).to.match(/^HTTP\/1\.1 200 /);
  });
});
