import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { linkMemory, ThreadLink } from '../../src/edges/thread-link.ts';
import { turn } from '../streams/socket-pair.ts';

/** One end, and what came to it. */
class End {
  readonly taken: string[] = [];
  readonly link: ThreadLink;
  relieved = 0;
  #wake = () => {};

  constructor(...[memory, end]: [ConstructorParameters<typeof ThreadLink>[0], 'core' | 'edge']) {
    this.link = new ThreadLink(memory, end, {
      took: (kind, id, payload) => {
        this.taken.push(`${kind} ${id} ${payload}`);
        this.#wake();
      },
      relieved: () => {
        this.relieved += 1;
      },
    });
  }

  async has(count: number): Promise<void> {
    while (this.taken.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

describe('A link between threads', () => {
  let core: End;
  let edge: End;

  beforeEach(() => {
    const memory = linkMemory();
    core = new End(memory, 'core');
    edge = new End(memory, 'edge');
  });

  afterEach(() => {
    core.link.close();
    edge.link.close();
  });

  it('carries records both ways, all of one turn together', async () => {
    core.link.put(1, 2, 'a', Buffer.from('b'));
    core.link.put(3, 4);
    edge.link.put(5, 6, 'c');
    expect(edge.taken).to.deep.equal([]);
    await Promise.all([edge.has(2), core.has(1)]);
    expect(edge.taken).to.deep.equal(['1 2 ab', '3 4 ']);
    expect(core.taken).to.deep.equal(['5 6 c']);
  });

  it('knows what the other side has taken', async () => {
    const first = core.link.put(1, 1, 'a');
    expect(core.link.isTaken(first)).to.equal(false);
    await edge.has(1);
    expect(core.link.isTaken(first)).to.equal(true);
    const second = core.link.put(1, 1, 'b');
    expect(core.link.isTaken(second)).to.equal(false);
    expect(core.link.isTaken(first)).to.equal(true);
  });

  it('carries much in several records', async () => {
    const text = 'x'.repeat(150_000);
    core.link.put(1, 1, '<', Buffer.from(text), '>');
    core.link.put(2, 1);
    await edge.has(6);
    expect(edge.taken.pop()).to.equal('2 1 ');
    expect(edge.taken.map((one) => one.slice('1 1 '.length)).join('')).to.equal(`<${text}>`);
  });

  it('keeps what finds no room, in order, and says when there is room again', async () => {
    const many = 300;
    const text = 'x'.repeat(10_000);
    for (let id = 0; id < many; id++) core.link.put(1, id, text);
    const last = core.link.put(2, many);
    expect(core.link.crowded).to.equal(true);
    await edge.has(many + 1);
    expect(edge.taken.map((one) => one.split(' ')[1])).to.deep.equal(
      Array.from({ length: many + 1 }, (_, id) => String(id)),
    );
    expect(core.link.crowded).to.equal(false);
    expect(core.relieved).to.equal(1);
    expect(core.link.isTaken(last)).to.equal(true);
  });

  it('is silent once it is closed', async () => {
    edge.link.close();
    core.link.put(1, 1);
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(edge.taken).to.deep.equal([]);
  });

  it('loses nothing between two threads at work, however they interleave', async () => {
    const memory = linkMemory();
    const worker = new Worker(new URL('echo-thread.ts', import.meta.url), { workerData: memory });
    const near = new End(memory, 'core');
    const total = 40_000;
    for (let sent = 0; sent < total; ) {
      const burst = 1 + ((sent * 7919) % 97);
      for (let index = 0; index < burst && sent < total; index++)
        near.link.put(1, sent++, 'x'.repeat((sent * 31) % 700));
      // Sometimes the other side is asleep, sometimes it is at work.
      if (sent % 3 === 0) await near.has(sent);
      else await turn();
    }
    await near.has(total);
    for (const [id, one] of near.taken.entries()) expect(one).to.equal(`1 ${id} ${'x'.repeat(((id + 1) * 31) % 700)}`);
    worker.postMessage('end');
    near.link.close();
    await once(worker, 'exit');
  });
});
