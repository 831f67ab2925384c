import { expect } from 'chai';
import { WatchFilter } from '../../../src/web/watch/watch-filter.ts';
import { Watcher } from '../../../src/web/watch/watcher.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('A watcher', () => {
  let clock: ManualClock;
  let ended: number;
  let watcher: Watcher;
  beforeEach(() => {
    clock = new ManualClock();
    ended = 0;
    watcher = new Watcher(new WatchFilter({}), false, clock, () => {
      ended += 1;
    });
  });

  const offer = (line: string) => watcher.offer(() => ({ what: 'log', line }));
  const read = async () => (await watcher.next()).value;

  it('gets items in their order, also those that come while it waits', async () => {
    const first = read();
    offer('a');
    offer('b');
    expect([await first, await read()]).to.deep.equal([
      { what: 'log', line: 'a' },
      { what: 'log', line: 'b' },
    ]);
  });

  it('loses what it is too slow for, is told how much, and that is not even written down', async () => {
    let made = 0;
    for (let one = 0; one < 1500; one++)
      watcher.offer(() => {
        made += 1;
        return { what: 'log', line: `${made}` };
      });
    expect(made).to.equal(1000);
    for (let one = 0; one < 1000; one++) expect(await read()).to.include({ what: 'log' });
    expect(await read()).to.deep.equal({ what: 'lost', items: 500 });
    offer('next');
    expect(await read()).to.include({ line: 'next' });
  });

  it('gets a bounded number of items in a second, however fast it reads', async () => {
    let got = 0;
    for (let one = 0; one < 10_000; one++) {
      offer('x');
      if (one >= 4000) continue;
      expect(await read()).to.include({ what: 'log' });
      got += 1;
    }
    expect(got).to.equal(4000);
    expect(await read()).to.deep.equal({ what: 'lost', items: 6000 });
    clock.advance(1000);
    for (let one = 0; one < 3000; one++) offer('y');
    expect(await read()).to.include({ line: 'y' });
  });

  it('is told why it ends, after what came before', async () => {
    offer('a');
    watcher.end('enough');
    offer('b');
    const all = [];
    for await (const item of watcher) all.push(item);
    expect(all).to.deep.equal([
      { what: 'log', line: 'a' },
      { what: 'end', reason: 'enough' },
    ]);
    expect(ended).to.equal(1);
  });

  it('wakes when nobody reads any more', async () => {
    const waiting = watcher.next();
    await watcher.return();
    expect(await waiting).to.deep.equal({ done: true, value: undefined });
    expect(ended).to.equal(1);
  });
});
