import { expect } from 'chai';
import { ConnectionLimiter, type ListenerLimits } from '../../src/streams/connection-limiter.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

const roomy = {
  total: 100,
  outgoing: 100,
  unauthenticated: 100,
  backlog: 10,
  address: { concurrent: 100, perSecond: 1e6, burst: 1e6 },
};

describe('The doorkeeper', () => {
  let clock: ManualClock;
  let log: RecordingLog;
  beforeEach(() => {
    clock = new ManualClock();
    log = new RecordingLog();
  });

  const limiter = (limits: Partial<ListenerLimits>) => new ConnectionLimiter({ ...roomy, ...limits }, clock, log);
  const one = '192.0.2.1';
  const other = '192.0.2.2';

  it('counts all connections, whichever listener they come to', () => {
    const keeper = limiter({ total: 2 });
    expect([keeper.admit(one, 0), keeper.admit(other, 0), keeper.admit(one, 0)]).to.deep.equal([true, true, false]);
    keeper.release(other);
    expect([keeper.admit(one, 0), keeper.admit(one, 0)]).to.deep.equal([true, false]);
  });

  it('counts those of an address, whichever listener they come to (XEP-0205 §3)', () => {
    const keeper = limiter({ address: { ...roomy.address, concurrent: 1 } });
    expect([keeper.admit(one, 0), keeper.admit(one, 0), keeper.admit(other, 0)]).to.deep.equal([true, false, true]);
    keeper.release(one);
    expect(keeper.admit(one, 0)).to.equal(true);
  });

  it('counts strangers for each listener apart', () => {
    const keeper = limiter({ unauthenticated: 2 });
    expect([keeper.admit(one, 2), keeper.admit(one, 1), keeper.admit(one, 0)]).to.deep.equal([false, true, true]);
  });

  it('counts those to other servers among all, which are no more than some (RFC 6120 §13.12)', () => {
    const keeper = limiter({ total: 3, outgoing: 2 });
    const lets = () => keeper.admitOutgoing();
    expect([lets(), lets(), lets(), keeper.admit(one, 0), keeper.admit(one, 0)]).to.deep.equal([
      true,
      true,
      false,
      true,
      false,
    ]);
    keeper.releaseOutgoing();
    expect([keeper.admit(one, 0), lets()]).to.deep.equal([true, false]);
    keeper.look();
    expect(log.lines.join()).to.contain('{"limit":"outgoing","connections":2}');
  });

  it('tells the operator once, however many listeners there are', () => {
    const keeper = limiter({ total: 0 });
    for (let listener = 0; listener < 3; listener++) {
      keeper.admit(one, 0);
      keeper.look();
    }
    expect(log.lines).to.deep.equal(['warn connections refused {"limit":"total","connections":1}']);
    clock.advance(60_000);
    for (let listener = 0; listener < 3; listener++) keeper.look();
    expect(log.lines[1]).to.equal('warn connections refused {"limit":"total","connections":2}');
    expect(log.lines).to.have.length(2);
  });
});
