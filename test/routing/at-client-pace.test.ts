import { expect } from 'chai';
import { atClientPace } from '../../src/routing/at-client-pace.ts';
import type { StubSession } from '../support/stub-session.ts';
import { RoutingBench } from './routing-bench.ts';

describe('Work at the pace of a client', () => {
  const { now } = performance;
  let session: StubSession;
  let done = 0;
  let nowMs = 0;

  beforeEach(async () => {
    session = await new RoutingBench().online('juliet@a.example/balcony');
    done = 0;
    performance.now = () => nowMs;
  });
  afterEach(() => {
    performance.now = now;
  });

  function* steps(count: number, eachMs = 0): Generator<void> {
    for (let step = 0; step < count; step += 1) {
      done += 1;
      nowMs += eachMs;
      yield;
    }
  }

  it('is done at once if it is little', () => {
    expect(atClientPace(session, steps(250))).to.equal(undefined);
    expect(done).to.equal(250);
  });

  it('is done at once if it has few steps, however long they take', () => {
    expect(atClientPace(session, steps(31, 10))).to.equal(undefined);
    expect(done).to.equal(31);
  });

  const turns: readonly (readonly [what: string, eachMs: number, first: number, second: number])[] = [
    ['after many steps', 0, 256, 512],
    ['after half a millisecond', 0.01, 50, 100],
    ['after a few expensive steps', 10, 32, 64],
  ];
  for (const [when, eachMs, first, second] of turns)
    it(`goes on in a later turn ${when}, so that others are served between`, async () => {
      const over = atClientPace(session, steps(600, eachMs), () => true);
      expect(done).to.be.within(first, first + 1);
      let between = 0;
      setImmediate(() => {
        between = done;
      });
      await over;
      expect(between).to.be.within(second, second + 2);
      expect(done).to.equal(600);
    });

  it('waits for a client that reads slowly', async () => {
    session.crowded = true;
    const over = atClientPace(session, steps(3), () => true);
    expect(done).to.equal(1);
    await over;
    expect([done, session.flushes]).to.deep.equal([3, 3]);
  });

  it('ends after a wait if nobody wants it any more', async () => {
    await atClientPace(session, steps(600), () => false);
    expect(done).to.equal(256);
  });
});
