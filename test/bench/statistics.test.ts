import { expect } from 'chai';
import { middle, type Sample } from './results.ts';
import { median, spread } from './statistics.ts';

describe('the statistics of the benchmark', () => {
  it('takes the middle', () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1, 2, 3])).to.equal(2.5);
    expect(median([])).to.be.NaN;
  });

  it('relates the spread to the middle', () => {
    expect(spread([90, 100, 110])).to.equal(0.2);
    expect(spread([100])).to.equal(0);
  });

  it('leaves out disturbed measurements, unless there are no others', () => {
    const sample = (perSecond: number, noisy: boolean): Sample => ({ perSecond, noisy, faults: 0 });
    const cell = { case: 'a', server: 'b', version: '1' };
    expect(middle({ ...cell, samples: [sample(10, true), sample(20, false)] }, 'perSecond')).to.equal(20);
    expect(middle({ ...cell, samples: [sample(10, true), sample(30, true)] }, 'perSecond')).to.equal(20);
    expect(middle(undefined, 'perSecond')).to.equal(undefined);
  });
});
