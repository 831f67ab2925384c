import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { RecentAddresses } from '../../src/routing/recent-addresses.ts';

describe('Recent addresses', () => {
  const jid = (text: string) => Jid.parse(text);

  it('are remembered without their resources', () => {
    const addresses = new RecentAddresses();
    expect(addresses.has(jid('a@x.example'))).to.equal(false);
    addresses.add(jid('a@x.example/home'));
    for (const text of ['a@x.example', 'a@x.example/home', 'a@x.example/work'])
      expect(addresses.has(jid(text)), text).to.equal(true);
    for (const text of ['b@x.example', 'x.example', 'a@y.example'])
      expect(addresses.has(jid(text)), text).to.equal(false);
  });

  it('are no more than the limit: the oldest go first', () => {
    const addresses = new RecentAddresses(2);
    for (const text of ['a@x.example', 'b@x.example', 'a@x.example/home', 'c@x.example']) addresses.add(jid(text));
    const kept = ['a', 'b', 'c'].filter((name) => addresses.has(jid(`${name}@x.example`)));
    expect(kept).to.deep.equal(['b', 'c']);
  });

  it('are forgotten even if they were asked for last', () => {
    const addresses = new RecentAddresses(1);
    addresses.add(jid('a@x.example'));
    expect(addresses.has(jid('a@x.example'))).to.equal(true);
    addresses.add(jid('b@x.example'));
    expect(addresses.has(jid('a@x.example'))).to.equal(false);
    expect(addresses.has(jid('b@x.example'))).to.equal(true);
    addresses.delete(jid('b@x.example'));
    expect(addresses.has(jid('b@x.example'))).to.equal(false);
  });

  it('are forgotten one by one, or all of a domain', () => {
    const addresses = new RecentAddresses();
    const all = ['a@x.example', 'b@x.example', 'x.example', 'c@sub.x.example', 'd@y.example'];
    const left = () => all.filter((text) => addresses.has(jid(text)));
    for (const text of all) addresses.add(jid(text));
    addresses.delete(jid('a@x.example/home'));
    expect(left()).to.deep.equal(all.slice(1));
    addresses.delete(jid('x.example'));
    expect(left()).to.deep.equal(['c@sub.x.example', 'd@y.example']);
  });
});
