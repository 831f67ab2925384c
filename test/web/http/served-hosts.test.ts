import type { Socket } from 'node:net';
import { expect } from 'chai';
import { networkList } from '../../../src/support/network-list.ts';
import { hostCheck } from '../../../src/web/http/served-hosts.ts';

describe('The hosts that the HTTP listener serves', () => {
  const check = hostCheck(['example.org', 'bücher.example', '2001:db8::1'], networkList(['192.0.2.1']));
  const request = (host: string | undefined, url = '/', remoteAddress = '198.51.100.7') => ({
    url,
    headers: host === undefined ? {} : { host },
    socket: { remoteAddress } as Socket,
  });

  const served = [
    'example.org',
    'EXAMPLE.org:5281',
    'example.org.',
    'upload.example.org',
    'xn--bcher-kva.example',
    'localhost:5280',
    '192.0.2.9',
    '192.0.2.9:443',
    '[2001:db8::5]:5281',
    undefined,
  ];
  for (const host of served) it(`${host} is one of them`, () => expect(check(request(host))).to.equal(true));

  for (const host of ['example.com', 'notexample.org', 'example.org.example.com', 'org', 'localhost.example', ''])
    it(`${JSON.stringify(host)} is none of them`, () => expect(check(request(host))).to.equal(false));

  it('the host of a whole URL counts, not the header (RFC 9112 §3.2.2)', () => {
    expect(check(request('example.com', 'http://example.org/x'))).to.equal(true);
    expect(check(request('example.org', 'https://example.com:5281?x'))).to.equal(false);
  });

  it('a trusted proxy decides by itself', () => {
    expect(check(request('backend', '/', '192.0.2.1'))).to.equal(true);
    expect(check(request('backend'))).to.equal(false);
  });
});
