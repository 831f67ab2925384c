import { expect } from 'chai';
import { Underway } from '../../src/edges/underway.ts';

describe('What is on its way to an edge', () => {
  let taken: number;
  let underway: Underway;

  beforeEach(() => {
    taken = 0;
    underway = new Underway({ isTaken: (put) => taken >= put });
  });

  it('is all that was put and not taken', () => {
    expect(underway.bytes).to.equal(0);
    underway.add(10, 1);
    underway.add(20, 2);
    expect(underway.bytes).to.equal(30);
    taken = 2;
    expect(underway.bytes).to.equal(0);
    underway.add(5, 7);
    expect(underway.bytes).to.equal(5);
  });

  it('does not grow while the edge keeps a step behind', () => {
    for (let put = 1; put < 1000; put++) {
      underway.add(10, put);
      taken = put - 3;
      expect(underway.bytes).to.be.within(Math.min(put, 3) * 10, 80);
    }
  });

  it('counts everything if the edge takes nothing', () => {
    for (let put = 1; put < 1000; put++) underway.add(10, put);
    expect(underway.bytes).to.equal(9990);
  });
});
