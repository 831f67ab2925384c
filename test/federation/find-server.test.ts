import { expect } from 'chai';
import type { Target } from '../../src/federation/federation-options.ts';
import { ServerFinder } from '../../src/federation/find-server.ts';
import { ResolutionError, type SrvRecord } from '../../src/federation/resolver.ts';
import { FakeResolver } from './fake-resolver.ts';

const record = (host: string, port = 5269, priority = 0, weight = 0): SrvRecord => ({ host, port, priority, weight });

describe('finding the server of a domain', () => {
  let resolver: FakeResolver;
  let overrides: Map<string, readonly Target[]>;
  let chance: number;

  beforeEach(() => {
    resolver = new FakeResolver();
    overrides = new Map();
    chance = 0;
  });

  const targets = (domain = 'a.example') =>
    new ServerFinder({ resolver, overrides: (name) => overrides.get(name), random: () => chance }).targets(domain);
  const found = async (domain?: string) =>
    (await targets(domain)).map(({ host, port, tls, addresses = [] }) => [host, port, tls, ...addresses].join(' '));
  const failure = async (domain?: string) => {
    const error = await targets(domain).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return error instanceof ResolutionError ? error.failure : error;
  };
  const starttls = (...records: SrvRecord[]) => resolver.services.set('_xmpp-server._tcp.a.example', records);
  const direct = (...records: SrvRecord[]) => resolver.services.set('_xmpps-server._tcp.a.example', records);

  it('merges both kinds of SRV records into one order (XEP-0368 §3)', async () => {
    starttls(record('second.example', 5269, 20), record('fourth.example', 5269, 40));
    direct(record('third.example', 5270, 30), record('first.example', 443, 10));
    expect(await found()).to.deep.equal([
      'first.example 443 direct',
      'second.example 5269 starttls',
      'third.example 5270 direct',
      'fourth.example 5269 starttls',
    ]);
  });

  it('chooses among equal priorities by weight (RFC 2782)', async () => {
    starttls(record('light.example', 1, 0, 1), record('heavy.example', 2, 0, 9), record('none.example', 3, 0, 0));
    const firstFor = async (value: number) => {
      chance = value;
      return (await targets())[0]?.host;
    };
    expect(await firstFor(0)).to.equal('none.example');
    expect(await firstFor(0.1)).to.equal('light.example');
    expect(await firstFor(0.19)).to.equal('heavy.example');
    expect(await firstFor(0.999)).to.equal('heavy.example');
    expect((await targets()).map(({ host }) => host).toSorted()).to.deep.equal([
      'heavy.example',
      'light.example',
      'none.example',
    ]);
  });

  it('falls back to the addresses of the domain without SRV records (RFC 6120 §3.2.2)', async () => {
    resolver.hosts.set('a.example', ['2001:db8::1', '192.0.2.1']);
    expect(await found()).to.deep.equal(['a.example 5269 starttls 2001:db8::1 192.0.2.1']);
  });

  it('does not fall back if there is an SRV record', async () => {
    resolver.hosts.set('a.example', ['192.0.2.1']);
    direct(record('b.example', 5270));
    expect(await found()).to.deep.equal(['b.example 5270 direct']);
  });

  it('finds no domain without any record', async () => {
    expect(await failure()).to.equal('no such domain');
  });

  it('accepts that a service is not offered (RFC 2782, target ".")', async () => {
    resolver.hosts.set('a.example', ['192.0.2.1']);
    starttls(record(''));
    expect(await failure()).to.equal('not offered');
    direct(record(''));
    expect(await failure()).to.equal('not offered');
    direct(record('b.example', 5270));
    expect(await found()).to.deep.equal(['b.example 5270 direct']);
  });

  it('falls back although TLS from the first byte is not offered', async () => {
    resolver.hosts.set('a.example', ['192.0.2.1']);
    direct(record(''));
    expect(await found()).to.deep.equal(['a.example 5269 starttls 192.0.2.1']);
  });

  it('does not fall back if a query got no answer', async () => {
    resolver.hosts.set('a.example', ['192.0.2.1']);
    for (const name of ['_xmpp-server._tcp.a.example', '_xmpps-server._tcp.a.example']) {
      resolver.failing.clear();
      resolver.failing.add(name);
      expect(await failure()).to.equal('temporary');
    }
  });

  it('uses the records it has if the other query got no answer', async () => {
    starttls(record('b.example'));
    resolver.failing.add('_xmpps-server._tcp.a.example');
    expect(await found()).to.deep.equal(['b.example 5269 starttls']);
  });

  it('skips unusable records', async () => {
    starttls(
      record('b.example', 0),
      record('c.example/d'),
      record('x'.repeat(254)),
      record('.e.example'),
      record('f.example'),
    );
    expect(await found()).to.deep.equal(['f.example 5269 starttls']);
    starttls(record('b.example', 0));
    expect(await failure()).to.equal('not offered');
  });

  it('tries ten of a thousand', async () => {
    starttls(...Array.from({ length: 1000 }, (_, index) => record(`h${index}.example`, 5269, index)));
    expect((await found()).length).to.equal(10);
    expect((await found())[9]).to.equal('h9.example 5269 starttls');
  });

  it('queries A-labels', async () => {
    resolver.hosts.set('xn--mnchen-3ya.example', ['192.0.2.1']);
    expect(await found('münchen.example')).to.deep.equal(['xn--mnchen-3ya.example 5269 starttls 192.0.2.1']);
    expect(resolver.asked).to.include('_xmpp-server._tcp.xn--mnchen-3ya.example');
  });

  it('makes no query for an IP address', async () => {
    expect(await found('[2001:db8::1]')).to.deep.equal(['2001:db8::1 5269 starttls 2001:db8::1']);
    expect(await found('192.0.2.1')).to.deep.equal(['192.0.2.1 5269 starttls 192.0.2.1']);
    expect(resolver.asked).to.deep.equal([]);
  });

  it('makes no query for a domain with an override', async () => {
    const fixed: Target = { host: '127.0.0.1', port: 1, tls: 'direct', fixed: true };
    overrides.set('a.example', [fixed]);
    expect(await targets()).to.deep.equal([fixed]);
    expect(resolver.asked).to.deep.equal([]);
  });
});
