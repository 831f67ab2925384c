import { expect } from 'chai';
import { type SentStanza, UnacknowledgedQueue } from '../../../src/streams/acknowledgment/unacknowledged-queue.ts';
import { readStanza } from '../../protocol/read-stanza.ts';

const top = 2 ** 32 - 1;

function sent(id: string, sequence?: number): SentStanza {
  const stanza = readStanza(`<message id="${id}"><body>${id}</body></message>`);
  return { stanza, atMs: 0, storedElsewhere: false, copy: undefined, sequence };
}

function queueOf(...ids: string[]): UnacknowledgedQueue {
  const queue = new UnacknowledgedQueue();
  for (const id of ids) queue.push(sent(id));
  return queue;
}

const idsOf = (entries: readonly SentStanza[] | undefined) => entries?.map(({ stanza }) => stanza.id);

describe('the queue of what is not acknowledged (XEP-0198 §4)', () => {
  it('gives up what an h covers, in order', () => {
    const queue = queueOf('a', 'b', 'c');
    expect(idsOf(queue.acknowledge(2))).to.deep.equal(['a', 'b']);
    expect(idsOf(queue.entries())).to.deep.equal(['c']);
    expect(idsOf(queue.acknowledge(2))).to.deep.equal([]);
    expect([queue.sent, queue.length]).to.deep.equal([3, 1]);
  });

  for (const h of [4, 1, top]) {
    it(`refuses h=${h} when 2 of 3 are acknowledged`, () => {
      const queue = queueOf('a', 'b', 'c');
      queue.acknowledge(2);
      expect(queue.acknowledge(h)).to.equal(undefined);
      expect(idsOf(queue.entries())).to.deep.equal(['c']);
    });
  }

  it('counts over 2^32', () => {
    const queue = UnacknowledgedQueue.restored([]);
    queue.acknowledge(top - 1);
    for (const id of ['a', 'b', 'c', 'd']) queue.push(sent(id));
    expect(idsOf(queue.acknowledge(top))).to.deep.equal(['a']);
    expect(idsOf(queue.acknowledge(1))).to.deep.equal(['b', 'c']);
    expect(queue.acknowledge(3)).to.equal(undefined);
    expect(idsOf(queue.acknowledge(2))).to.deep.equal(['d']);
  });

  it('exceeds its bounds by stanzas, of which presence is none, and by bytes', () => {
    const limits = { maxStanzas: 2, maxBytes: 5000 };
    const queue = queueOf('a', 'b');
    for (let count = 0; count < 5; count++) queue.push({ ...sent(''), stanza: readStanza('<presence/>') });
    expect(queue.exceeds(limits)).to.equal(false);
    queue.push(sent('c'));
    expect(queue.exceeds(limits)).to.equal(true);
    queue.acknowledge(1);
    expect(queue.exceeds(limits)).to.equal(false);
    queue.push({ ...sent(''), stanza: readStanza(`<presence><status>${'x'.repeat(5000)}</status></presence>`) });
    expect(queue.exceeds(limits)).to.equal(true);
  });

  it('is half full by stanzas and by bytes', () => {
    const limits = { maxStanzas: 4, maxBytes: 5000 };
    const queue = queueOf('a', 'b');
    expect(queue.isHalfFull(limits)).to.equal(false);
    queue.push(sent('c'));
    expect(queue.isHalfFull(limits)).to.equal(true);
    queue.acknowledge(3);
    queue.push({ ...sent(''), stanza: readStanza(`<message><body>${'x'.repeat(2500)}</body></message>`) });
    expect(queue.isHalfFull(limits)).to.equal(true);
  });

  it('found on the disk, believes the client: what it has is gone, the rest is numbered from there', () => {
    const queue = UnacknowledgedQueue.restored([sent('a', 3), sent('b', 5), sent('held'), sent('c', 9)]);
    expect([queue.uncertain, queue.nextSequence]).to.deep.equal([true, undefined]);
    expect(idsOf(queue.acknowledge(5))).to.deep.equal(['a', 'b']);
    expect(idsOf(queue.entries())).to.deep.equal(['held', 'c']);
    expect([queue.uncertain, queue.nextSequence]).to.deep.equal([false, 8]);
    expect(queue.acknowledge(8)).to.equal(undefined);
    expect(idsOf(queue.acknowledge(7))).to.deep.equal(['held', 'c']);
  });

  it('found on the disk, tells those who waited before the client came back only when the client has it all', async () => {
    const queue = UnacknowledgedQueue.restored([sent('a', 3), sent('b'), sent('c')]);
    let received: boolean | undefined;
    void queue.received().then((yes) => {
      received = yes;
    });
    queue.acknowledge(500);
    queue.acknowledge(501);
    await Promise.resolve();
    expect([idsOf(queue.entries()), received]).to.deep.equal([['c'], undefined]);
    queue.acknowledge(502);
    await Promise.resolve();
    expect(received).to.equal(true);
  });

  it('found on the disk, tells at once that the client has it all, if it has', async () => {
    const queue = UnacknowledgedQueue.restored([sent('a', 3)]);
    const received = queue.received();
    queue.acknowledge(3);
    expect(await received).to.equal(true);
  });

  it('says when the client has everything, or that it never will', async () => {
    const queue = queueOf('a', 'b');
    const both = queue.received();
    queue.push(sent('c'));
    const all = queue.received();
    queue.acknowledge(2);
    expect(await both).to.equal(true);
    expect(queue.awaited).to.equal(true);
    expect(idsOf(queue.end())).to.deep.equal(['c']);
    expect(await all).to.equal(false);
    expect(await queueOf().received()).to.equal(true);
  });

  it('closes up behind what is taken out, also for those who wait', async () => {
    const queue = queueOf('a', 'b', 'c');
    queue.acknowledge(1);
    const received = queue.received();
    const [b] = queue.entries();
    expect(b && queue.withdraw(b.stanza)).to.equal(b);
    expect(b && queue.withdraw(b.stanza)).to.equal(undefined);
    expect([queue.sent, idsOf(queue.entries())]).to.deep.equal([2, ['c']]);
    expect(idsOf(queue.acknowledge(2))).to.deep.equal(['c']);
    expect(await received).to.equal(true);
  });
});
