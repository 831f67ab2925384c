import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { relay } from '../../../src/extensions/bytestreams/relay.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const limits = { readBytesPerSecond: 1000, readBurstBytes: 5000, idleMs: 60_000 };

/** A relay between two connections, and the far ends of both. */
function relayed() {
  const clock = new ManualClock();
  const [near, left] = duplexPair();
  const [far, right] = duplexPair();
  const done = relay(near, far, limits, clock);
  return { clock, left, right, done };
}

describe('a relay of a bytestream', () => {
  it('moves bytes in both directions, and ends when both sides have', async () => {
    const { left, right, done } = relayed();
    left.end('to the right');
    expect(await text(right)).to.equal('to the right');
    right.end('to the left');
    expect(await text(left)).to.equal('to the left');
    await done;
  });

  it('ends both sides when one breaks off', async () => {
    const { left, right, done } = relayed();
    left.on('error', () => undefined);
    left.destroy(new Error('for the test'));
    right.resume();
    await Promise.all([once(right, 'close'), done]);
  });

  it('reads no faster than the limit allows', async () => {
    const { clock, left, right } = relayed();
    left.write(Buffer.alloc(5000));
    expect((await once(right, 'data'))[0]).to.have.length(5000);
    // Beyond the burst, 1000 bytes take a second.
    const came: number[] = [];
    right.on('data', (chunk: Buffer) => came.push(chunk.length));
    left.write(Buffer.alloc(1000));
    await turns();
    clock.advance(999);
    await turns();
    expect(came).to.deep.equal([]);
    clock.advance(1);
    await turns();
    expect(came).to.deep.equal([1000]);
    left.destroy();
  });

  it('reads no further than the other side does', async () => {
    const { clock, left, right } = relayed();
    let taken = 0;
    const write = () => left.write(Buffer.alloc(10_000), () => taken++);
    for (let count = 0; count < 100; count++) write();
    for (let count = 0; count < 100; count++) {
      clock.advance(10_000);
      await turns();
    }
    expect(taken).to.be.below(30);
    right.destroy();
    left.destroy();
  });

  it('ends when nothing has moved for long', async () => {
    const { clock, left, right, done } = relayed();
    left.resume();
    right.resume();
    clock.advance(59_999);
    left.write('x');
    await once(right, 'data');
    clock.advance(59_999);
    left.write('x');
    await once(right, 'data');
    const ended = Promise.all([once(left, 'end'), once(right, 'end'), done]);
    clock.advance(60_000);
    await ended;
  });
});

/** Lets streams do what they can do now. */
async function turns(): Promise<void> {
  for (let count = 0; count < 10; count++) await new Promise((resolve) => setImmediate(resolve));
}
