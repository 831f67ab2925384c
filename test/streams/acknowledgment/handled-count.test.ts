import { expect } from 'chai';
import fc from 'fast-check';
import { HandledCount } from '../../../src/streams/acknowledgment/handled-count.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the count of handled stanzas (XEP-0198 §4)', () => {
  let moves: number[];
  let failures: unknown[];
  let count: HandledCount;
  const unfailing = (error: unknown) => expect.fail(String(error));
  beforeEach(() => {
    moves = [];
    failures = [];
    count = new HandledCount(
      0,
      () => moves.push(count.handled),
      (error) => failures.push(error),
    );
  });

  it('moves at once past what is dealt with at once', () => {
    count.count(() => undefined);
    count.count(() => undefined);
    expect(moves).to.deep.equal([1, 2]);
  });

  it('waits for routing and for the work that it caused', async () => {
    const [routing, work] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    void count.count(() => {
      count.ackAfter(work.promise);
      return routing.promise;
    });
    routing.resolve();
    await turn();
    expect(count.handled).to.equal(0);
    work.resolve();
    await turn();
    expect(count.handled).to.equal(1);
  });

  it('never passes a stanza that broke the stream', () => {
    expect(() =>
      count.count(() => {
        throw new Error('bad');
      }),
    ).to.throw('bad');
    count.count(() => undefined);
    expect([count.handled, count.taken]).to.deep.equal([0, 2]);
  });

  it('never passes a stanza that has come to nothing, on its way or in what it caused, and says so', async () => {
    const [routing, work] = [new Error('routing'), new Error('disk')];
    count.count(() => undefined);
    await count.count(() => Promise.reject(routing));
    count.count(() => count.ackAfter(Promise.reject(work)));
    count.count(() => undefined);
    await turn();
    expect([count.handled, count.taken, failures]).to.deep.equal([1, 4, [routing, work]]);
    count.end();
    await count.settled();
  });

  it('goes on from where a restart found it', () => {
    const restored = new HandledCount(7, () => undefined, unfailing);
    restored.count(() => undefined);
    expect([restored.handled, restored.taken]).to.deep.equal([8, 8]);
  });

  it('settles when everything is final, or when it is over', async () => {
    const work = Promise.withResolvers<void>();
    count.count(() => count.ackAfter(work.promise));
    let settled = 0;
    void count.settled().then(() => settled++);
    await turn();
    expect(settled).to.equal(0);
    work.resolve();
    await turn();
    expect(settled).to.equal(1);
    count.count(() => count.ackAfter(new Promise(() => undefined)));
    const ending = count.settled();
    count.end();
    await ending;
  });

  it('is a prefix, whatever the order in which work is done', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }), async (order) => {
        const works = order.map(() => Promise.withResolvers<void>());
        const counted = new HandledCount(0, () => undefined, unfailing);
        for (const { promise } of works) counted.count(() => counted.ackAfter(promise));
        const done = new Set<number>();
        for (const index of order) {
          works[index]?.resolve();
          done.add(index);
          await turn();
          let prefix = 0;
          while (done.has(prefix)) prefix++;
          expect(counted.handled).to.equal(prefix);
        }
      }),
      { numRuns: 50 },
    );
  });
});
