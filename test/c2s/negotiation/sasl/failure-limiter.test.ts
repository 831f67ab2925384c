import { expect } from 'chai';
import { FailureLimiter } from '../../../../src/c2s/negotiation/sasl/failure-limiter.ts';
import { networkOf } from '../../../../src/support/network-of.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const minute = 60_000;
const limits = { maxFailures: 20, windowMs: 60 * minute, blockMs: 10 * minute, maxAddresses: 3 };
const guesser = '192.0.2.1';

describe('FailureLimiter', () => {
  let clock: ManualClock;
  let limiter: FailureLimiter;

  beforeEach(() => {
    clock = new ManualClock();
    limiter = new FailureLimiter(limits, clock);
  });

  function fail(address: string, times: number): void {
    for (let time = 0; time < times; time++) limiter.failed(address);
  }

  it('blocks an address with its last allowed failure, for the time configured', () => {
    fail(guesser, 19);
    expect(limiter.blockedForMs(guesser)).to.equal(0);
    fail(guesser, 1);
    expect(limiter.blockedForMs(guesser)).to.equal(10 * minute);
    clock.advance(10 * minute - 1);
    expect(limiter.blockedForMs(guesser)).to.equal(1);
    clock.advance(1);
    expect(limiter.blockedForMs(guesser)).to.equal(0);
  });

  it('blocks nobody else', () => {
    fail(guesser, 30);
    expect(limiter.blockedForMs('192.0.2.2')).to.equal(0);
  });

  it('does not move with the wall clock', () => {
    fail(guesser, 20);
    clock.jumpTo(clock.nowMs() + 1000 * minute);
    expect(limiter.blockedForMs(guesser)).to.equal(10 * minute);
  });

  it('lets a guesser who waits for every block have no more than the rate allows', () => {
    let guesses = 0;
    for (let passed = 0; passed < 24 * 60; passed++) {
      for (; limiter.blockedForMs(guesser) === 0; guesses++) limiter.failed(guesser);
      clock.advance(minute);
    }
    expect(guesses).to.be.within(20, 20 * 25);
  });

  it('never blocks who fails seldom', () => {
    for (let time = 0; time < 200; time++) {
      limiter.failed(guesser);
      expect(limiter.blockedForMs(guesser)).to.equal(0);
      clock.advance(3 * minute);
    }
  });

  it('blocks with the first failure where one is allowed', () => {
    limiter = new FailureLimiter({ ...limits, maxFailures: 1 }, clock);
    expect(limiter.blockedForMs(guesser)).to.equal(0);
    fail(guesser, 1);
    expect(limiter.blockedForMs(guesser)).to.equal(10 * minute);
  });

  it('blocks nobody where the number is unlimited', () => {
    for (const maxFailures of [Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER]) {
      limiter = new FailureLimiter({ ...limits, maxFailures }, clock);
      fail(guesser, 1000);
      expect(limiter.blockedForMs(guesser)).to.equal(0);
    }
  });

  it('forgets the address that failed longest ago when there are too many', () => {
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) fail(address, 20);
    fail('10.0.0.1', 1);
    fail('10.0.0.4', 20);
    const blocked = [1, 2, 3, 4].map((last) => limiter.blockedForMs(`10.0.0.${last}`) > 0);
    expect(blocked).to.deep.equal([true, false, true, true]);
  });

  it('counts a /64 of IPv6 as one, and a mapped IPv4 address as itself', () => {
    fail('2001:db8:0:1::1', 10);
    fail('2001:DB8::1:a:b:c:d', 10);
    expect(limiter.blockedForMs('2001:db8:0:1:ffff::')).to.be.above(0);
    expect(limiter.blockedForMs('2001:db8:0:2::1')).to.equal(0);
    fail(`::ffff:${guesser}`, 20);
    expect(limiter.blockedForMs(guesser)).to.be.above(0);
  });
});

describe('networkOf', () => {
  const forms: [address: string, network: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ];
  for (const [address, network] of forms) {
    it(`of ${address} is ${network}`, () => expect(networkOf(address)).to.equal(network));
  }
});
