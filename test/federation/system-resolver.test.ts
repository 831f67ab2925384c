import { expect } from 'chai';
import { ResolutionError } from '../../src/federation/resolver.ts';
import { SystemResolver } from '../../src/federation/system-resolver.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { addressRecord, aliasRecord, DnsServer, srvRecord } from './dns-server.ts';

const service = '_xmpp-server._tcp.a.example';

describe('the resolver', () => {
  let dns: DnsServer;
  let clock: ManualClock;
  let server: string;
  let resolver: SystemResolver;

  beforeEach(async () => {
    dns = new DnsServer();
    clock = new ManualClock();
    server = await dns.start();
    resolver = new SystemResolver({ servers: [server], timeoutMs: 60_000, tries: 1 }, clock);
  });
  afterEach(() => {
    resolver.close();
    dns.stop();
  });

  const failure = async (asking: Promise<unknown>) =>
    asking.then(
      () => undefined,
      (error: unknown) => (error instanceof ResolutionError ? error.failure : error),
    );

  it('returns SRV records, with an empty host for a service that is not offered', async () => {
    dns.answers.set(`SRV ${service}`, [srvRecord(20, 5, 5270, 'b.example'), srvRecord(10, 0, 5269, '')]);
    expect(await resolver.srv(service)).to.deep.equal([
      { priority: 10, weight: 0, port: 5269, host: '' },
      { priority: 20, weight: 5, port: 5270, host: 'b.example' },
    ]);
  });

  it('returns the first hundred of a thousand records, by priority', async () => {
    const thousand = Array.from({ length: 1000 }, (_, index) => srvRecord(999 - index, 0, 1, `h${index}.example`));
    dns.answers.set(`SRV ${service}`, thousand);
    const found = await resolver.srv(service);
    expect([found.length, found[0]?.host, found[99]?.host]).to.deep.equal([100, 'h999.example', 'h900.example']);
  });

  it('returns the addresses of both families', async () => {
    dns.answers.set('A b.example', [addressRecord('192.0.2.1'), addressRecord('192.0.2.2')]);
    dns.answers.set('AAAA b.example', [addressRecord('2001:db8::1')]);
    expect(await resolver.addresses('b.example')).to.deep.equal(['2001:db8::1', '192.0.2.1', '192.0.2.2']);
  });

  it('returns sixteen of a thousand addresses of a family', async () => {
    dns.answers.set(
      'A b.example',
      Array.from({ length: 1000 }, (_, index) => addressRecord(`1.0.${index >> 8}.${index & 255}`)),
    );
    expect((await resolver.addresses('b.example')).length).to.equal(16);
  });

  it('returns an IP address unchanged', async () => {
    expect(await resolver.addresses('2001:db8::1')).to.deep.equal(['2001:db8::1']);
    expect(dns.asked).to.deep.equal([]);
  });

  it('returns nothing for a missing name, a missing record type, or an invalid name', async () => {
    dns.answers.set('A other.example', [addressRecord('192.0.2.1')]);
    dns.answers.set('AAAA other.example', []);
    expect(await resolver.srv(service)).to.deep.equal([]);
    expect(await resolver.srv('other.example')).to.deep.equal([]);
    expect(await resolver.addresses(`${'x'.repeat(64)}.example`)).to.deep.equal([]);
    expect(await resolver.addresses('a..example')).to.deep.equal([]);
  });

  it('follows aliases in an answer, and survives a loop of them', async () => {
    dns.answers.set('A b.example', [
      aliasRecord('b.example', 'c.example'),
      { ...addressRecord('192.0.2.1'), name: 'c.example' },
    ]);
    dns.answers.set('AAAA b.example', []);
    expect(await resolver.addresses('b.example')).to.deep.equal(['192.0.2.1']);
    for (const type of ['A', 'AAAA', 'SRV'])
      dns.answers.set(`${type} loop.example`, [
        aliasRecord('loop.example', 'pool.example'),
        aliasRecord('pool.example', 'loop.example'),
      ]);
    expect(await resolver.addresses('loop.example')).to.deep.equal([]);
    expect(await resolver.srv('loop.example')).to.deep.equal([]);
  });

  it('fails with temporary if the answer is a failure or missing', async () => {
    dns.answers.set(`SRV ${service}`, 'SERVFAIL');
    expect(await failure(resolver.srv(service))).to.equal('temporary');
    for (const type of ['A', 'AAAA']) dns.answers.set(`${type} b.example`, 'silence');
    const hasty = new SystemResolver({ servers: [server], timeoutMs: 100, tries: 1 }, clock);
    expect(await failure(hasty.addresses('b.example'))).to.equal('temporary');
  });

  it('returns one family if the other fails, and queries again', async () => {
    dns.answers.set('A b.example', [addressRecord('192.0.2.1')]);
    dns.answers.set('AAAA b.example', 'SERVFAIL');
    expect(await resolver.addresses('b.example')).to.deep.equal(['192.0.2.1']);
    dns.answers.set('AAAA b.example', [addressRecord('2001:db8::1')]);
    expect(await resolver.addresses('b.example')).to.deep.equal(['2001:db8::1', '192.0.2.1']);
  });

  it('caches addresses for the shortest of their TTLs', async () => {
    dns.answers.set('A b.example', [addressRecord('192.0.2.1', 300), addressRecord('192.0.2.2', 60)]);
    dns.answers.set('AAAA b.example', []);
    await resolver.addresses('b.example');
    clock.advance(59_999);
    await resolver.addresses('b.example');
    expect(dns.asked.length).to.equal(2);
    clock.advance(1);
    await resolver.addresses('b.example');
    expect(dns.asked.length).to.equal(4);
  });

  it('caches SRV records for a minute, but not their absence', async () => {
    await resolver.srv(service);
    dns.answers.set(`SRV ${service}`, [srvRecord(0, 0, 1, 'b.example')]);
    expect((await resolver.srv(service)).length).to.equal(1);
    clock.advance(59_999);
    await resolver.srv(service);
    expect(dns.asked.length).to.equal(2);
    clock.advance(1);
    await resolver.srv(service);
    expect(dns.asked.length).to.equal(3);
  });

  it('uses other servers after a reload, and empties the cache', async () => {
    dns.answers.set('A b.example', [addressRecord('192.0.2.1')]);
    await resolver.addresses('b.example');
    const other = new DnsServer();
    other.answers.set('A b.example', [addressRecord('192.0.2.2')]);
    resolver.reload({ servers: [await other.start()], timeoutMs: 60_000, tries: 1 });
    expect(await resolver.addresses('b.example')).to.deep.equal(['192.0.2.2']);
    other.stop();
  });

  it('cancels running queries when it is closed', async () => {
    dns.answers.set(`SRV ${service}`, 'silence');
    const patient = new SystemResolver({ servers: [server], timeoutMs: 60_000, tries: 1 }, clock);
    const asking = failure(patient.srv(service));
    patient.close();
    expect(await asking).to.equal('temporary');
  });
});
