import { expect } from 'chai';
import { randomId } from '../../src/protocol/random-id.ts';

describe('Random ids', () => {
  it('are 22 characters that need no escaping anywhere', () => {
    expect(randomId()).to.match(/^[A-Za-z0-9_-]{22}$/);
  });

  it('do not come again, however many are drawn', () => {
    const ids = Array.from({ length: 10_000 }, randomId);
    expect(new Set(ids).size).to.equal(ids.length);
  });
});
