import { expect } from 'chai';
import { AddressLimits } from '../../src/streams/address-limits.ts';
import { ManualClock } from '../support/manual-clock.ts';

describe('Connections of one address (XEP-0205 §3)', () => {
  let clock: ManualClock;
  let limits: AddressLimits;

  beforeEach(() => {
    clock = new ManualClock();
    limits = new AddressLimits({ concurrent: 3, perSecond: 2, burst: 4 }, clock);
  });

  const admitted = (address: string, tries: number) =>
    Array.from({ length: tries }, () => limits.admit(address)).filter(Boolean).length;

  it('are bounded at a time', () => {
    expect(admitted('192.0.2.1', 5)).to.equal(3);
    expect(admitted('192.0.2.2', 5)).to.equal(3);
    limits.release('192.0.2.1');
    clock.advance(60_000);
    expect(admitted('192.0.2.1', 5)).to.equal(1);
  });

  it('are bounded over time', () => {
    const open = () => {
      const admits = limits.admit('192.0.2.1');
      if (admits) limits.release('192.0.2.1');
      return admits;
    };
    expect(Array.from({ length: 6 }, open)).to.deep.equal([true, true, true, true, false, false]);
    clock.advance(499);
    expect(open()).to.equal(false);
    clock.advance(1);
    expect([open(), open()]).to.deep.equal([true, false]);
  });

  it('count together for one IPv6 network', () => {
    expect(admitted('2001:db8:0:1::1', 2)).to.equal(2);
    expect(admitted('2001:db8:0:1:ffff::2', 2)).to.equal(1);
    expect(admitted('2001:db8:0:2::1', 2)).to.equal(2);
    limits.release('2001:db8:0:1::1');
    expect(admitted('2001:db8:0:1::3', 2)).to.equal(1);
  });

  it('are not used up by refusals', () => {
    admitted('192.0.2.1', 100);
    limits.release('192.0.2.1');
    clock.advance(1000);
    expect(limits.admit('192.0.2.1')).to.equal(true);
  });

  it('are forgotten only when the address is at rest', () => {
    admitted('192.0.2.1', 3);
    limits.sweep();
    clock.advance(60_000);
    limits.sweep();
    expect(admitted('192.0.2.1', 1), 'connections were forgotten').to.equal(0);
    for (let count = 0; count < 3; count++) limits.release('192.0.2.1');
    expect(admitted('192.0.2.1', 3)).to.equal(3);
    for (let count = 0; count < 3; count++) limits.release('192.0.2.1');
    limits.sweep();
    expect(admitted('192.0.2.1', 3), 'the debt was forgotten').to.equal(1);
  });
});
