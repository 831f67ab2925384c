import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { oneATurn } from '../../src/streams/one-a-turn.ts';

describe('Long pieces of work', () => {
  it('are done one in each turn of the event loop, in order, with others between them', async () => {
    const done: string[] = [];
    for (const name of ['a', 'b', 'c']) oneATurn(() => void done.push(name));
    expect(done).to.deep.equal([]);
    for (let turns = 1; turns <= 3; turns++) {
      await turn();
      expect(done.length).to.equal(turns);
    }
    expect(done).to.deep.equal(['a', 'b', 'c']);
  });

  it('can lead to more', async () => {
    const done: string[] = [];
    oneATurn(() => {
      done.push('first');
      oneATurn(() => void done.push('second'));
    });
    await turn();
    expect(done).to.deep.equal(['first']);
    await turn();
    expect(done).to.deep.equal(['first', 'second']);
  });
});
