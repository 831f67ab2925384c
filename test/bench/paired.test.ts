import { expect } from 'chai';
import { comparisonRows } from './paired.ts';
import type { Sample } from './results.ts';

describe('the comparison of two builds', () => {
  const sample = (changes: Partial<Sample>): Sample => ({ faults: 0, noisy: false, ...changes });

  it('takes the ratios pair by pair, so that a slow machine slows both', () => {
    const pairs = [
      { base: sample({ perSecond: 1000, cpuUs: 8 }), build: sample({ perSecond: 1100, cpuUs: 8 }) },
      { base: sample({ perSecond: 500, cpuUs: 16 }), build: sample({ perSecond: 550, cpuUs: 12 }) },
      { base: sample({ perSecond: 2000, cpuUs: 4 }), build: sample({ perSecond: 2400, cpuUs: 4 }) },
    ];
    expect(comparisonRows('msg', pairs)).to.deep.equal([
      ['msg, a second', '1,000', '1,100', '1.100', '1.100–1.200'],
      ['msg, CPU µs', '8.00', '8.00', '1.000', '0.750–1.000'],
    ]);
  });

  it('leaves out what was not measured on both', () => {
    const pairs = [{ base: sample({ startSeconds: 0.5 }), build: sample({ startSeconds: 0.4, rssKb: 1000 }) }];
    expect(comparisonRows('start', pairs)).to.deep.equal([
      ['start, s to start', '0.50', '0.40', '0.800', '0.800–0.800'],
    ]);
  });
});
