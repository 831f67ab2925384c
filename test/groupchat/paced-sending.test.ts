import { expect } from 'chai';
import { sendPaced } from '../../src/groupchat/paced-sending.ts';
import type { Announcement } from '../../src/groupchat/room/decision.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { TurnBudget } from '../../src/support/turn-budget.ts';
import { ManualClock } from '../support/manual-clock.ts';

const limits = { ms: 2, amount: 200 };
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('The budget of a turn', () => {
  let nowMs = 0;
  let done: string[] = [];
  let budget: TurnBudget;
  beforeEach(() => {
    nowMs = 0;
    done = [];
    budget = new TurnBudget(limits, { monotonicMs: () => nowMs });
  });

  /** Work that takes some time, when the budget allows it. */
  async function works(name: string, ms: number): Promise<void> {
    await budget.take(1);
    nowMs += ms;
    done.push(name);
  }

  it('allows work at once, until so much time has passed', async () => {
    for (let n = 0; n < 4; n += 1) {
      expect(budget.take(1), `piece ${n}`).to.equal(undefined);
      nowMs += 0.5;
    }
    expect(budget.take(1)).to.be.an.instanceOf(Promise);
  });

  it('allows work at once, until so much is done', () => {
    for (let n = 0; n < 4; n += 1) expect(budget.take(50), `piece ${n}`).to.equal(undefined);
    expect(budget.take(1)).to.be.an.instanceOf(Promise);
  });

  it('begins anew with each turn', async () => {
    budget.take(1000);
    await turn();
    await turn();
    expect(budget.take(1)).to.equal(undefined);
  });

  it('does what waits in later turns in its order, a piece in each at least', async () => {
    budget.take(1000);
    const all = [works('a', 5), works('b', 1), works('c', 1), works('d', 1), works('e', 1)];
    const seen: string[] = [];
    while (done.length < all.length) {
      await turn();
      seen.push(done.join(''));
    }
    await Promise.all(all);
    expect(seen.filter((text, at) => text !== '' && text !== seen[at - 1])).to.deep.equal(['a', 'abc', 'abcde']);
  });
});

describe('Announcements of a room', () => {
  const address = Jid.parse('hall@rooms.example/nurse');
  const clients = (count: number) => Array.from({ length: count }, (_, n) => Jid.parse(`c${n}@a.example/x`));
  const presence = (id: string, count: number): Announcement => {
    return { stanza: Stanza.presence({ from: address, id }), to: clients(count) };
  };
  const message = (id: string, count: number): Announcement => {
    return { stanza: Stanza.message({ from: address, id }), to: clients(count) };
  };

  let sent: string[][] = [];
  const send = (announcements: readonly Announcement[]) => {
    sent.push(announcements.map(({ stanza, to }) => `${stanza.id} ${to.length}`));
  };
  beforeEach(() => {
    sent = [];
  });

  it('are sent at once if they are messages', () => {
    expect(sendPaced([message('m', 1000)], { take: () => expect.fail('paced') }, send)).to.equal(undefined);
    expect(sent).to.deep.equal([['m 1000']]);
  });

  it('are sent at once if there is time', () => {
    const all = [presence('a', 1), presence('b', 2), message('m', 1)];
    expect(sendPaced(all, new TurnBudget(limits, new ManualClock()), send)).to.equal(undefined);
    expect(sent).to.deep.equal([['a 1', 'b 2', 'm 1']]);
  });

  it('are sent piece by piece in their order if they are much presence', async () => {
    let turns = 0;
    const take = () => {
      turns += 1;
      return Promise.resolve();
    };
    const all = [...Array.from({ length: 60 }, (_, n) => presence(`p${n}`, 1)), message('m', 1), presence('q', 120)];
    await sendPaced(all, { take }, send);
    expect(turns).to.equal(5);
    expect(sent[0]).to.have.length(50);
    expect(sent.slice(1).map((piece) => piece.at(-1))).to.deep.equal(['m 1', 'q 50', 'q 50', 'q 20']);
    expect(sent.flat().filter((line) => line.startsWith('p'))).to.deep.equal(
      Array.from({ length: 60 }, (_, n) => `p${n} 1`),
    );
  });

  it('are sent when those before them wait to be routed, and end when all are', async () => {
    const routed = Promise.withResolvers<void>();
    let isOver = false;
    const sending = sendPaced(
      [presence('a', 50), presence('b', 50)],
      new TurnBudget(limits, new ManualClock()),
      (announcements) => {
        send(announcements);
        return routed.promise;
      },
    );
    void Promise.resolve(sending).then(() => {
      isOver = true;
    });
    await turn();
    expect([sent.length, isOver]).to.deep.equal([2, false]);
    routed.resolve();
    await sending;
  });
});
