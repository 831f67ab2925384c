import { expect } from 'chai';
import { StreamReader } from '../../src/xml/stream-reader.ts';
import { unlimited } from '../../src/xml/xml-limits.ts';
import { bytewise } from './reading.ts';

const header = Buffer.from("<s xmlns='u'>");

function times(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join('');
}

/** The time of processors that it takes, of which other programs take nothing. */
function costMicroseconds(chunks: readonly Buffer[]): number {
  let frames = 0;
  const reader = new StreamReader({ header() {}, frame: () => frames++, end() {} }, unlimited);
  const before = process.cpuUsage();
  for (const chunk of chunks) reader.push(chunk);
  const { user, system } = process.cpuUsage(before);
  expect(frames).to.equal(1);
  return user + system;
}

/** In the middle between twice and four times: memory and the work of the collector have their part in it. */
const limit = 3;

/** The best of several runs of each, taken in turns so that noise strikes both; more runs while it looks bad. */
function ratio(small: readonly Buffer[], large: readonly Buffer[]): number {
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let run = 0; run < 4 || (run < 100 && best[1]! / best[0]! >= limit); run++) {
    for (const [index, chunks] of [small, large].entries()) {
      best[index] = Math.min(best[index]!, costMicroseconds(chunks));
    }
  }
  return best[1]! / best[0]!;
}

const inputs: [what: string, count: number, make: (count: number) => string][] = [
  ['text', 64_000, (count) => `<a>${'x'.repeat(count)}</a>`],
  ['text beyond ASCII', 20_000, (count) => `<a>${'é😀'.repeat(count)}</a>`],
  ['a name', 64_000, (count) => `<${'x'.repeat(count)}/>`],
  ['an attribute value', 64_000, (count) => `<a b='${'x'.repeat(count)}'/>`],
  ['a reference', 64_000, (count) => `<a>&#${'0'.repeat(count)}65;</a>`],
  ['references', 8000, (count) => `<a>${'&#x1F600;'.repeat(count)}</a>`],
  ['a CDATA section', 64_000, (count) => `<a><![CDATA[${']'.repeat(count)}]]></a>`],
  ['brackets', 64_000, (count) => `<a>${']'.repeat(count)}</a>`],
  ['attributes', 8000, (count) => `<a${times(count, (index) => ` a${index}=''`)}/>`],
  ['prefixed attributes', 8000, (count) => `<a xmlns:p='p'${times(count, (index) => ` p:a${index}=''`)}/>`],
  ['namespaces', 8000, (count) => `<a${times(count, (index) => ` xmlns:a${index}='u${index}'`)}/>`],
  [
    'namespaces and their use',
    4000,
    (count) => `<a${times(count, (i) => ` xmlns:a${i}='u${i}'`)}>${times(count, (i) => `<a${i}:b/>`)}</a>`,
  ],
  ['depth', 10_000, (count) => `${'<a xmlns="v">'.repeat(count)}${'</a>'.repeat(count)}`],
  ['children', 10_000, (count) => `<a>${'<b/>'.repeat(count)}</a>`],
];

describe('twice the input takes twice the time, not four times', () => {
  for (const [what, count, make] of inputs) {
    it(`${what}, in one chunk and byte by byte`, () => {
      const small = Buffer.from(make(count));
      const large = Buffer.from(make(2 * count));
      expect(ratio([header, small], [header, large]), 'one chunk').to.be.below(limit);
      expect(ratio([header, ...bytewise(small)], [header, ...bytewise(large)]), 'bytes').to.be.below(limit);
    });
  }
});
