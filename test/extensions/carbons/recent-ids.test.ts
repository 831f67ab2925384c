import { expect } from 'chai';
import { RecentIds } from '../../../src/extensions/carbons/recent-ids.ts';

describe('recent ids', () => {
  it('has the last 64', () => {
    const ids = new RecentIds();
    for (let n = 0; n < 100; n++) ids.add(`id-${n}`);
    const kept = Array.from({ length: 100 }, (_, n) => n).filter((n) => ids.has(`id-${n}`));
    expect(kept).to.deep.equal(Array.from({ length: 64 }, (_, n) => n + 36));
  });

  it('has nothing at first, whatever the id', () => {
    for (const id of ['', '0', 'id']) expect(new RecentIds().has(id)).to.equal(false);
  });
});
