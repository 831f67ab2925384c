import { expect } from 'chai';
import { AckRequests } from '../../../src/streams/acknowledgment/ack-requests.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const limits = { ackEveryStanzas: 3, ackAfterMs: 100 };
const standstillMs = 5000;

describe('Requests for acknowledgment (XEP-0198 §4)', () => {
  let clock: ManualClock;
  let requests: AckRequests;
  let pending: number;
  let asked: number;

  beforeEach(() => {
    [pending, asked] = [0, 0];
    clock = new ManualClock();
    const ask = () => {
      asked += 1;
    };
    requests = new AckRequests({ pending: () => pending, ask }, limits, standstillMs, clock);
  });

  const send = (count: number) => {
    for (let left = count; left > 0; left--) {
      pending += 1;
      requests.sent();
    }
  };
  const acknowledge = (count: number, urgent = false) => {
    pending -= count;
    requests.answered(count > 0, urgent);
  };

  it('come with the stanza that makes enough of them', () => {
    send(2);
    expect(asked).to.equal(0);
    send(1);
    expect(asked).to.equal(1);
    clock.advance(100);
    expect(asked, 'the timer is stopped').to.equal(1);
  });

  it('come some time after the first of few stanzas', () => {
    send(1);
    clock.advance(60);
    send(1);
    clock.advance(39);
    expect(asked).to.equal(0);
    clock.advance(1);
    expect(asked).to.equal(1);
  });

  it('do not come while one is open, and tell since when it is', () => {
    expect(requests.openSinceMs).to.equal(undefined);
    send(3);
    const since = clock.monotonicMs();
    clock.advance(1000);
    send(3);
    requests.now();
    clock.advance(1000);
    expect(asked).to.equal(1);
    expect(requests.openSinceMs).to.equal(since);
  });

  it('do not come when nothing is pending', () => {
    requests.now();
    send(1);
    acknowledge(1);
    clock.advance(100);
    expect([asked, requests.openSinceMs, clock.pendingCount]).to.deep.equal([0, undefined, 0]);
  });

  it('come in time for the rest when a part is acknowledged', () => {
    send(3);
    acknowledge(1);
    expect(asked).to.equal(1);
    clock.advance(100);
    expect(asked).to.equal(2);
  });

  it('come at once for the rest when somebody waits for it, or when it is enough', () => {
    send(3);
    acknowledge(1, true);
    expect(asked).to.equal(2);
    send(3);
    acknowledge(1);
    expect(asked).to.equal(3);
  });

  it('wait when nothing new is acknowledged, or a recipient that miscounts would be asked in a circle', () => {
    send(4);
    acknowledge(0, true);
    clock.advance(standstillMs - 1);
    expect(asked).to.equal(1);
    clock.advance(1);
    expect(asked).to.equal(2);
  });

  it('come no more when they are stopped, until one is sent again', () => {
    send(1);
    requests.stop();
    clock.advance(100);
    expect([asked, clock.pendingCount]).to.deep.equal([0, 0]);
    send(2);
    expect(asked).to.equal(1);
    requests.stop();
    expect(requests.openSinceMs).to.equal(undefined);
    requests.now();
    expect(asked).to.equal(2);
  });
});
