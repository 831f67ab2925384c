import { expect } from 'chai';
import { atClientPace } from '../../src/routing/at-client-pace.ts';
import type { StubSession } from '../support/stub-session.ts';
import { RoutingBench } from './routing-bench.ts';

describe('Work at the pace of a client', () => {
  let session: StubSession;
  let done = 0;

  beforeEach(async () => {
    session = await new RoutingBench().online('juliet@a.example/balcony');
    done = 0;
  });

  function* steps(count: number): Generator<void> {
    for (let step = 0; step < count; step += 1) {
      done += 1;
      yield;
    }
  }

  it('is done at once if it is little', () => {
    expect(atClientPace(session, steps(250))).to.equal(undefined);
    expect(done).to.equal(250);
  });

  it('goes on in later turns if it is much, so that others are served between', async () => {
    const over = atClientPace(session, steps(600), () => true);
    expect(done).to.equal(256);
    let between = 0;
    setImmediate(() => {
      between = done;
    });
    await over;
    expect([between, done]).to.deep.equal([512, 600]);
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
