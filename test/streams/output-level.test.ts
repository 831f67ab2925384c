import { expect } from 'chai';
import { OutputLevel } from '../../src/streams/output-level.ts';
import { turn } from './socket-pair.ts';

describe('The level of unsent output', () => {
  for (const [outgoingBufferBytes, highBytes, lowBytes] of [
    [65_536, 16_384, 16_384],
    [262_144, 65_536, 65_536],
    [1_048_576, 262_144, 65_536],
  ] as const)
    it(`is high above a quarter of ${outgoingBufferBytes} bytes, and low below ${lowBytes}`, () => {
      const level = new OutputLevel({ outgoingBufferBytes, writeStallMs: 1000 });
      const states = (bytes: number) => [level.isLow(bytes), level.isHigh(bytes), level.isTooHigh(bytes)];
      expect(states(0)).to.deep.equal([true, false, false]);
      expect(states(lowBytes - 1)).to.deep.equal([true, false, false]);
      expect(states(lowBytes)).to.deep.equal([false, false, false]);
      expect(states(highBytes + 1)).to.deep.equal([false, true, false]);
      expect(states(outgoingBufferBytes)).to.deep.equal([false, true, false]);
      expect(states(outgoingBufferBytes + 1)).to.deep.equal([false, true, true]);
    });

  it('wakes everything that waits, once', async () => {
    const level = new OutputLevel({ outgoingBufferBytes: 65_536, writeStallMs: 1000 });
    level.wake();
    let woken = 0;
    const waiting = [level.wait(), level.wait()].map((wait) => wait.then(() => (woken += 1)));
    await turn();
    expect(woken).to.equal(0);
    level.wake();
    await Promise.all(waiting);
    void level.wait().then(() => (woken += 1));
    await turn();
    expect(woken).to.equal(2);
  });
});
