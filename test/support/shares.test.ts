import { expect } from 'chai';
import { Shares } from '../../src/support/shares.ts';

describe('Places that are shared', () => {
  const taken = (shares: Shares, ...keys: string[]) => keys.map((key) => shares.take(key) !== undefined);

  it('are so many for each, and so many in all', () => {
    const shares = new Shares(() => ({ total: 3, each: 2 }));
    expect(taken(shares, 'a', 'a', 'a', 'b', 'c')).to.deep.equal([true, true, false, true, false]);
  });

  it('are free again when they are given back', () => {
    const shares = new Shares(() => ({ total: 2, each: 1 }));
    const giveBack = shares.take('a');
    expect(taken(shares, 'a', 'b')).to.deep.equal([false, true]);
    giveBack?.();
    expect(taken(shares, 'a', 'c')).to.deep.equal([true, false]);
  });

  it('may become more and fewer', () => {
    const limits = { total: 1, each: 1 };
    const shares = new Shares(() => limits);
    expect(taken(shares, 'a', 'b')).to.deep.equal([true, false]);
    limits.total = 2;
    expect(taken(shares, 'b')).to.deep.equal([true]);
  });
});
