import { expect } from 'chai';
import { collectAfterStart } from '../../src/support/collect-after-start.ts';
import { ManualClock } from './manual-clock.ts';

describe('collectAfterStart', () => {
  it('collects all garbage once, a second later', () => {
    const clock = new ManualClock();
    const collections: unknown[] = [];
    collectAfterStart(clock, (options) => collections.push(options));
    clock.advance(999);
    expect(collections).to.deep.equal([]);
    clock.advance(1);
    clock.advance(60_000);
    expect(collections).to.deep.equal([{ type: 'major', flavor: 'last-resort' }]);
  });

  it('does nothing where Node.js does not let it', () => {
    const clock = new ManualClock();
    collectAfterStart(clock);
    expect(clock.pendingCount).to.equal(globalThis.gc === undefined ? 0 : 1);
  });
});
