import { expect } from 'chai';
import { readCount, stanzasSince, wireCount } from '../../../src/streams/acknowledgment/count.ts';

const top = 2 ** 32 - 1;

describe('counts of stanzas (XEP-0198 §4)', () => {
  for (const [count, shown] of [
    [0, 0],
    [1, 1],
    [top, top],
    [top + 1, 0],
    [top + 6, 5],
    [3 * 2 ** 32 + 7, 7],
  ] as const) {
    it(`${count} is shown as ${shown}`, () => expect(wireCount(count)).to.equal(shown));
  }

  for (const [count, h, since] of [
    [0, 0, 0],
    [0, 5, 5],
    [5, 5, 0],
    [5, 4, top],
    [top, 0, 1],
    [top - 1, 3, 5],
    [top + 1, 0, 0],
    [2 ** 32 + 10, 12, 2],
  ] as const) {
    it(`from ${count} to h=${h} there are ${since}`, () => expect(stanzasSince(count, h)).to.equal(since));
  }

  for (const [text, count] of [
    ['0', 0],
    ['007', 7],
    ['4294967295', top],
    ['4294967296', undefined],
    ['99999999999', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['1e9', undefined],
    ['1.0', undefined],
    [' 1', undefined],
    ['', undefined],
    ['٣', undefined],
    [undefined, undefined],
  ] as const) {
    it(`${JSON.stringify(text)} is read as ${count}`, () => expect(readCount(text)).to.equal(count));
  }
});
