import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import type { Task } from './reader-work.ts';
import { WorkCounter } from './work-counter.ts';

function times(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join('');
}

/** Between twice and four times; buffers that double have their part in it. */
const limit = 2.5;

const inputs: [what: string, count: number, make: (count: number) => string][] = [
  ['text', 16_000, (count) => `<a>${'x'.repeat(count)}</a>`],
  ['text beyond ASCII', 4000, (count) => `<a>${'é😀'.repeat(count)}</a>`],
  ['a name', 16_000, (count) => `<${'x'.repeat(count)}/>`],
  ['an attribute value', 16_000, (count) => `<a b='${'x'.repeat(count)}'/>`],
  ['a reference', 16_000, (count) => `<a>&#${'0'.repeat(count)}65;</a>`],
  ['references', 2000, (count) => `<a>${'&#x1F600;'.repeat(count)}</a>`],
  ['a CDATA section', 16_000, (count) => `<a><![CDATA[${']'.repeat(count)}]]></a>`],
  ['brackets', 16_000, (count) => `<a>${']'.repeat(count)}</a>`],
  ['attributes', 2000, (count) => `<a${times(count, (index) => ` a${index}=''`)}/>`],
  ['prefixed attributes', 2000, (count) => `<a xmlns:p='p'${times(count, (index) => ` p:a${index}=''`)}/>`],
  ['namespaces', 2000, (count) => `<a${times(count, (index) => ` xmlns:a${index}='u${index}'`)}/>`],
  [
    'namespaces and their use',
    1000,
    (count) => `<a${times(count, (i) => ` xmlns:a${i}='u${i}'`)}>${times(count, (i) => `<a${i}:b/>`)}</a>`,
  ],
  ['depth', 2500, (count) => `${'<a xmlns="v">'.repeat(count)}${'</a>'.repeat(count)}`],
  ['children', 2500, (count) => `<a>${'<b/>'.repeat(count)}</a>`],
];

describe('the reader does twice the work for twice the input, not four times', () => {
  let worker: Worker;

  before(() => {
    worker = new Worker(new URL('./reader-work.ts', import.meta.url));
  });

  after(() => worker.terminate());

  async function workOf(task: Task): Promise<number> {
    worker.postMessage(task);
    const [{ frames, work }] = await once(worker, 'message');
    expect(frames).to.equal(1);
    return work;
  }

  for (const [what, count, make] of inputs) {
    for (const bytewise of [false, true]) {
      it(`${what}, ${bytewise ? 'byte by byte' : 'in one chunk'}`, async () => {
        const small = await workOf({ text: make(count), bytewise });
        const large = await workOf({ text: make(2 * count), bytewise });
        expect(small).to.be.above(count / 8);
        expect(large / small).to.be.below(limit);
      });
    }
  }
});

describe('the work counter', () => {
  const counter = new WorkCounter((url) => url === import.meta.url);

  before(() => counter.start());
  after(() => counter.stop());

  function growth(work: (count: number) => void): number {
    return counter.of(() => work(2000)) / counter.of(() => work(1000));
  }

  it('finds that a loop grows as its input', () => {
    const loop = (count: number) => {
      for (let index = 0; index < count; index++) if (index < 0) break;
    };
    expect(growth(loop)).to.be.within(1.9, 2.1);
  });

  it('finds a loop in a loop', () => {
    const loops = (count: number) => {
      for (let index = 0; index < count; index++) for (let other = 0; other < index; other++) if (other < 0) break;
    };
    expect(growth(loops)).to.be.above(limit);
  });

  it('finds bytes that are copied again and again', () => {
    const copies = (count: number) => {
      let bytes = Buffer.alloc(0);
      for (let index = 0; index < count; index++) bytes = Buffer.concat([bytes, Buffer.alloc(1)]);
    };
    expect(growth(copies)).to.be.above(limit);
  });
});
