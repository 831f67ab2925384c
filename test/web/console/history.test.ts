import { expect } from 'chai';
import { History, type Measured } from '../../../src/web/console/history.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const minuteMs = 60_000;

const nothing: Measured = {
  sessions: 0,
  connections: 0,
  links: 0,
  storageWaiting: 0,
  residentBytes: 0,
  freeBytes: 0,
  messagesIn: 0,
  messagesOut: 0,
  otherIn: 0,
  otherOut: 0,
  commits: 0,
  busyMs: 0,
};

describe('The history of the console', () => {
  let clock: ManualClock;
  let now: Measured;
  /** For how long the process has slept in all. */
  let sleptMs: number;
  let history: History;

  beforeEach(() => {
    clock = new ManualClock();
    now = nothing;
    sleptMs = 0;
    history = new History({
      measure: () => now,
      clock: {
        nowMs: () => clock.nowMs(),
        monotonicMs: () => clock.monotonicMs() + sleptMs,
        after: (delayMs, run) => clock.after(delayMs, run),
      },
    });
  });
  afterEach(() => history.stop());

  /** Five seconds pass, at the end of which this is measured. */
  const passes = (measured: Partial<Measured>) => {
    now = { ...now, ...measured };
    clock.advance(5000);
  };

  it('has nothing at first', () => {
    expect(history.read('hour').series.sessions).to.deep.equal([]);
    expect(history.read('day').series.sessions).to.deep.equal([]);
  });

  it('measures every five seconds, and makes rates of counters', () => {
    passes({ sessions: 3, messagesIn: 10 });
    passes({ sessions: 4, messagesIn: 15 });
    const { stepMs, series } = history.read('hour');
    expect([stepMs, series.sessions, series.messagesIn]).to.deep.equal([5000, [3, 4], [2, 1]]);
  });

  it('tells when the last value was measured', () => {
    passes({});
    const atMs = clock.nowMs();
    clock.advance(3000);
    expect(history.read('hour').endMs).to.equal(atMs);
  });

  it('gives only what is newer than a moment', () => {
    passes({ sessions: 1 });
    const { endMs } = history.read('hour');
    expect(history.read('hour', endMs).series.sessions).to.deep.equal([]);
    passes({ sessions: 2 });
    passes({ sessions: 3 });
    expect(history.read('hour', endMs).series.sessions).to.deep.equal([2, 3]);
  });

  it('keeps an hour finely, and a day by the minute', () => {
    for (let count = 1; count <= 24 * 720; count++) passes({ sessions: count });
    expect(history.read('hour').series.sessions).to.have.length(720);
    expect(history.read('hour').series.sessions.at(-1)).to.equal(24 * 720);
    expect(history.read('hour').series.sessions[0]).to.equal(24 * 720 - 719);
    const { sessions } = history.read('day').series;
    expect(sessions).to.have.length(1440);
    // The mean of the values from 1 to 12.
    expect(sessions[0]).to.equal(6.5);
    passes({ sessions: 7 });
    for (let count = 0; count < 11; count++) passes({});
    expect(history.read('day').series.sessions.slice(-2)).to.deep.equal([17_274.5, 7].map(Math.round));
  });

  it('tells when the last minute of the day ended', () => {
    clock.advance(minuteMs);
    const atMs = clock.nowMs();
    clock.advance(42_000);
    expect(history.read('day').endMs).to.equal(atMs);
  });

  it('shows the longest delay of a timer', () => {
    clock.advance(4000);
    sleptMs = 700;
    clock.advance(1000);
    passes({});
    expect(history.read('hour').series.lagMs).to.deep.equal([700, 0]);
  });

  it('measures nothing more once it is stopped', () => {
    history.stop();
    expect(clock.pendingCount).to.equal(0);
  });
});
