import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { configSchema } from '../../../src/config/schema.ts';
import { publicUrl } from '../../../src/config/stream-options.ts';
import { networkList } from '../../../src/support/network-list.ts';
import { clientOf } from '../../../src/web/http/client-of.ts';

describe('The client of an HTTP request', () => {
  const trusted = networkList(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
  const clientFor = (peer: string, forwardedFor?: string, proto?: string) => {
    const headers = { 'x-forwarded-for': forwardedFor, 'x-forwarded-proto': proto };
    return clientOf({ socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage, trusted);
  };

  const cases: readonly (readonly [what: string, peer: string, forwardedFor: string | undefined, address: string])[] = [
    ['is the peer', '192.0.2.1', undefined, '192.0.2.1'],
    ['is the peer, whatever a stranger says', '192.0.2.1', '203.0.113.7', '192.0.2.1'],
    ['is the one that a proxy names', '10.1.2.3', '203.0.113.7', '203.0.113.7'],
    ['is the last one that is not a proxy', '127.0.0.1', '198.51.100.9, 203.0.113.7, 10.0.0.1', '203.0.113.7'],
    ['has an IPv4 address on an IPv6 socket, too', '::ffff:10.1.2.3', '::ffff:203.0.113.7', '203.0.113.7'],
    ['may have an IPv6 address', 'fd00::1', '2001:db8::7', '2001:db8::7'],
    ['is the proxy if it names nobody', '10.1.2.3', '', '10.1.2.3'],
    ['is the proxy if it names no address', '10.1.2.3', 'unknown', '10.1.2.3'],
  ];
  for (const [what, peer, forwardedFor, address] of cases) {
    it(what, () => expect(clientFor(peer, forwardedFor).remoteAddress).to.equal(address));
  }

  it('has TLS if the proxy says so, and only then', () => {
    expect(clientFor('10.1.2.3', '203.0.113.7', 'https').secure).to.equal(true);
    expect(clientFor('10.1.2.3', '203.0.113.7', 'http').secure).to.equal(false);
    expect(clientFor('192.0.2.1', undefined, 'https').secure).to.equal(false);
  });
});

describe('The public address of the HTTP listener', () => {
  const urlOf = (settings: object) => publicUrl(configSchema({ directory: '/', environment: {} }).parse(settings));
  const https = (port: number) => ({ domains: ['x.example'], listen: { https: [{ host: '::', port }] } });

  it('is one that clients reach: on loopback only if all clients are there', () => {
    const c2s = [{ host: '::', port: 5222 }];
    expect(urlOf({})).to.equal('https://localhost:5281');
    expect(urlOf({ listen: { c2s } })).to.equal(undefined);
    expect(
      urlOf({
        ...https(5281),
        listen: {
          c2s,
          https: [
            { host: '127.0.0.1', port: 1 },
            { host: '::', port: 2 },
          ],
        },
      }),
    ).to.equal('https://x.example:2');
  });

  it('is that of the configuration, or that of HTTPS, or none', () => {
    expect(urlOf({ ...https(5281), web: { publicUrl: 'https://chat.example' } })).to.equal('https://chat.example');
    expect(urlOf(https(5281))).to.equal('https://x.example:5281');
    expect(urlOf(https(443))).to.equal('https://x.example');
    expect(urlOf({ listen: { https: [] } })).to.equal(undefined);
  });
});
