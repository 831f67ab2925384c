import { expect } from 'chai';
import { within } from '../../src/support/clock.ts';
import { ManualClock } from './manual-clock.ts';

describe('Waiting for work within a time', () => {
  for (const [name, end] of [
    ['well', () => Promise.resolve()],
    ['badly', () => Promise.reject(new Error('for the test'))],
  ] as const) {
    it(`ends with the work that ends ${name}, and leaves no timer`, async () => {
      const clock = new ManualClock();
      await within(clock, 1000, end());
      expect(clock.pendingCount).to.equal(0);
    });
  }

  it('ends with the time', async () => {
    const clock = new ManualClock();
    let over = false;
    const waiting = within(clock, 1000, new Promise(() => {})).then(() => {
      over = true;
    });
    clock.advance(999);
    await Promise.resolve();
    expect(over).to.equal(false);
    clock.advance(1);
    await waiting;
  });
});
