import { expect } from 'chai';
import { Acknowledger } from '../../../src/streams/acknowledgment/acknowledger.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { turn } from '../socket-pair.ts';

describe('The acknowledgments that are sent (XEP-0198 §4)', () => {
  let clock: ManualClock;
  let told: number[];
  let failures: unknown[];
  let writes: { readonly handled: number; readonly done: PromiseWithResolvers<void> }[];

  beforeEach(() => {
    [told, failures, writes] = [[], [], []];
    clock = new ManualClock();
  });

  const acknowledger = (persist?: (handled: number) => Promise<void>) =>
    new Acknowledger(0, {
      send: (handled) => void told.push(handled),
      failed: (error) => void failures.push(error),
      persist,
      clock,
    });
  const persistent = () =>
    acknowledger((handled) => {
      const done = Promise.withResolvers<void>();
      writes.push({ handled, done });
      return done.promise;
    });
  const take = ({ incoming }: Acknowledger, ...works: readonly (Promise<unknown> | undefined)[]) => {
    for (const work of works) void incoming.count(() => (work ? incoming.ackAfter(work) : undefined));
  };

  it('tell at once what is final, and the rest as it becomes so', async () => {
    const one = acknowledger();
    const work = Promise.withResolvers<void>();
    take(one, undefined, work.promise);
    one.requested();
    expect(told).to.deep.equal([1]);
    take(one, undefined);
    work.resolve();
    await turn();
    expect(told, 'the third, which was not asked about, is final as well').to.deep.equal([1, 3]);
    take(one, undefined);
    expect(told, 'nothing that was not asked about').to.deep.equal([1, 3]);
    one.tell();
    expect(told).to.deep.equal([1, 3, 4]);
  });

  it('tell no more than what is on the disk, where the count must survive a restart', async () => {
    const one = persistent();
    take(one, undefined);
    one.requested();
    expect(told).to.deep.equal([0]);
    await turn();
    expect([told, one.safe]).to.deep.equal([[0], 0]);
    writes[0]?.done.resolve();
    await turn();
    expect([told, one.safe]).to.deep.equal([[0, 1], 1]);
  });

  it('come late, and without being asked for again, if the disk has refused the count for a while', async () => {
    const one = persistent();
    take(one, undefined);
    one.requested();
    await turn();
    writes[0]?.done.reject(new Error('full'));
    await turn();
    clock.advance(999);
    expect(writes).to.have.length(1);
    clock.advance(1);
    await turn();
    writes[1]?.done.resolve();
    await turn();
    expect(told).to.deep.equal([0, 1]);
  });

  it('stop when no more stanzas come', async () => {
    const one = persistent();
    take(one, undefined);
    one.requested();
    await turn();
    writes[0]?.done.reject(new Error('full'));
    await turn();
    one.end();
    clock.advance(10_000);
    await turn();
    expect(writes).to.have.length(1);
  });

  it('write the count once for the stanzas of a turn, and one write at a time', async () => {
    const one = persistent();
    take(one, undefined, undefined);
    await turn();
    take(one, undefined);
    take(one, undefined);
    await turn();
    expect(writes.map(({ handled }) => handled)).to.deep.equal([2]);
    writes[0]?.done.resolve();
    await turn();
    expect(writes.map(({ handled }) => handled)).to.deep.equal([2, 4]);
  });

  it('try again to write a count that the disk has refused, when they are asked for', async () => {
    const one = persistent();
    take(one, undefined);
    await turn();
    writes[0]?.done.reject(new Error('the disk is full'));
    await turn();
    expect(one.safe).to.equal(0);
    one.requested();
    await turn();
    writes[1]?.done.resolve();
    await turn();
    expect(told).to.deep.equal([0, 1]);
  });

  it('are settled when everything is final and written', async () => {
    const one = persistent();
    const work = Promise.withResolvers<void>();
    take(one, work.promise);
    let settled = false;
    const waiting = one.settled().then(() => {
      settled = true;
    });
    await turn();
    expect(writes).to.have.length(0);
    work.resolve();
    await turn();
    expect([writes.length, settled]).to.deep.equal([1, false]);
    writes[0]?.done.resolve();
    await waiting;
    expect(one.safe).to.equal(1);
  });

  it('take the count as safe, whatever the disk says, where its sender has gone by it', async () => {
    const one = persistent();
    take(one, undefined);
    await turn();
    writes[0]?.done.reject(new Error('the disk is full'));
    await turn();
    one.settle();
    expect(one.safe).to.equal(1);
  });

  it('tell a sender that has resumed nothing that it has not asked for again', async () => {
    const one = acknowledger();
    const work = Promise.withResolvers<void>();
    take(one, work.promise);
    one.requested();
    one.resumed();
    work.resolve();
    await turn();
    expect(told).to.deep.equal([0]);
  });

  it('never cover a stanza that has failed', async () => {
    const one = acknowledger();
    take(one, Promise.reject(new Error('a fault')), undefined);
    await turn();
    one.requested();
    expect(told).to.deep.equal([0]);
    expect(failures.map(String)).to.deep.equal(['Error: a fault']);
  });
});
