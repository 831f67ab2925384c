import { expect } from 'chai';
import { networkList } from '../../../src/support/network-list.ts';
import { cookieHeader, isFromOtherSite, refusalFor, tokenIn } from '../../../src/web/console/site-check.ts';

const usual = ['127.0.0.0/8', '::1'];
const office = [...usual, '192.0.2.0/24'];

type Headers = Readonly<Record<string, string>>;

describe('The console', () => {
  const cases: readonly (readonly [
    who: string,
    from: string,
    secure: boolean,
    headers: Headers,
    networks: readonly string[],
    open: boolean,
  ])[] = [
    ['this machine', '127.0.0.1', false, { host: 'localhost:5280' }, usual, true],
    ['this machine by IPv6', '::1', false, { host: '[::1]:5280' }, usual, true],
    ['this machine under its address', '127.0.0.1', false, { host: '127.0.0.1:5280' }, usual, true],
    ['this machine over TLS', '127.0.0.1', true, { host: 'example.org' }, usual, true],
    ['a name of an attacker that leads here', '127.0.0.1', false, { host: 'attacker.example:5280' }, usual, false],
    ['a name that begins like this machine', '127.0.0.1', false, { host: 'localhost.attacker.example' }, usual, false],
    ['a request without a name', '127.0.0.1', false, {}, usual, false],
    [
      'a client of a proxy here',
      '127.0.0.1',
      false,
      { host: 'localhost', 'x-forwarded-for': '192.0.2.1' },
      usual,
      false,
    ],
    ['a client of a proxy here over TLS', '127.0.0.1', true, { host: 'a', forwarded: 'for=192.0.2.1' }, usual, false],
    ['another machine', '192.0.2.1', true, { host: 'example.org' }, usual, false],
    ['another machine in the networks', '192.0.2.1', true, { host: 'example.org' }, office, true],
    ['another machine without TLS', '192.0.2.1', false, { host: 'example.org' }, office, false],
    ['another machine without TLS that says localhost', '192.0.2.1', false, { host: 'localhost' }, office, false],
    ['this machine, if the networks lack it', '127.0.0.1', false, { host: 'localhost' }, ['192.0.2.0/24'], false],
  ];
  for (const [who, remoteAddress, secure, headers, networks, open] of cases) {
    it(`is ${open ? 'open' : 'closed'} to ${who}`, () => {
      const refusal = refusalFor({ remoteAddress, secure, headers }, networkList(networks));
      expect(refusal === undefined, refusal).to.equal(open);
    });
  }

  const sites: readonly (readonly [headers: Headers, foreign: boolean])[] = [
    [{}, false],
    [{ 'sec-fetch-site': 'same-origin' }, false],
    [{ 'sec-fetch-site': 'none' }, false],
    [{ 'sec-fetch-site': 'same-site' }, true],
    [{ 'sec-fetch-site': 'cross-site' }, true],
  ];
  for (const [headers, foreign] of sites) {
    it(`takes ${JSON.stringify(headers)} for ${foreign ? 'another site' : 'its own page'}`, () => {
      expect(isFromOtherSite({ headers })).to.equal(foreign);
    });
  }

  const asked = (cookie: string | undefined, secure: boolean) =>
    tokenIn({ remoteAddress: '127.0.0.1', secure, headers: { ...(cookie !== undefined && { cookie }) } });

  it('reads its cookie among others', () => {
    expect(asked('a=b; ampere=t0k3n; c=d', false)).to.equal('t0k3n');
    expect(asked('__Host-ampere=t0k3n', true)).to.equal('t0k3n');
    expect(asked('xampere=t0k3n', false)).to.equal('');
    expect(asked(undefined, false)).to.equal('');
  });

  it('takes no cookie over TLS that came without', () => {
    expect(asked('ampere=t0k3n', true)).to.equal('');
  });

  it('hides its cookie from scripts, other sites and plain HTTP', () => {
    expect(cookieHeader('t', 1000, true)).to.equal(
      '__Host-ampere=t; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=1',
    );
    expect(cookieHeader('t', 1000, false)).to.equal('ampere=t; Path=/console; HttpOnly; SameSite=Strict; Max-Age=1');
  });
});
