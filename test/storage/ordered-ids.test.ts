import { expect } from 'chai';
import fc from 'fast-check';
import { OrderedIds } from '../../src/storage/ordered-ids.ts';

const start = Date.UTC(2026, 0, 1);
const lastSafeMs = Date.UTC(2248, 0, 1);

/** What may happen: ids are taken, the clock goes on or is set, or the process starts again with the last id. */
const events = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 1000 }) }),
    fc.record({ kind: fc.constant('set' as const), ms: fc.integer({ min: 0, max: lastSafeMs }) }),
    fc.record({ kind: fc.constant('restart' as const) }),
  ),
  { maxLength: 30 },
);

describe('ordered ids', () => {
  it('only grow, over restarts and whatever the clock does, and are safe integers until 2248', () => {
    fc.assert(
      fc.property(events, (happenings) => {
        let nowMs = start;
        let last = 0;
        const clock = { nowMs: () => nowMs };
        let ids = new OrderedIds(clock);
        for (const event of happenings) {
          if (event.kind === 'wait') nowMs += event.ms;
          else if (event.kind === 'set') nowMs = event.ms;
          else if (event.kind === 'restart') ids = new OrderedIds(clock, last);
          else {
            for (let taken = 0; taken < event.count; taken++) {
              const id = ids.next();
              expect(id).to.be.greaterThan(last);
              expect(Number.isSafeInteger(id)).to.equal(true);
              last = id;
            }
          }
        }
      }),
    );
  });

  it('tell their moment, while the clock goes on', () => {
    let nowMs = start;
    const ids = new OrderedIds({ nowMs: () => nowMs });
    const before = ids.next();
    nowMs += 0.7;
    expect(ids.next()).to.equal(before + 1);
    nowMs = start + 1;
    expect(ids.next())
      .to.equal((start + 1) * 1024)
      .and.to.equal(before + 1024);
  });

  it('are refused rather than repeated when numbers end', () => {
    const ids = new OrderedIds({ nowMs: () => start }, Number.MAX_SAFE_INTEGER);
    expect(() => ids.next()).to.throw(RangeError);
  });
});
