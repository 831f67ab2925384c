import { expect } from 'chai';
import fc from 'fast-check';
import type { BoshAnswer } from '../../../src/web/bosh/bosh-body.ts';
import { type Exchange, RequestWindow } from '../../../src/web/bosh/request-window.ts';

const size = 2;
const first = 1000;

/** An exchange that keeps its answers. */
class TestExchange implements Exchange {
  readonly rid: number;
  readonly answers: string[] = [];
  lost = false;

  constructor(rid: number) {
    this.rid = rid;
  }

  readonly answer = ({ body }: BoshAnswer): void => {
    this.answers.push(body.toString());
  };
}

const answerOf = (text: string): BoshAnswer => ({ status: 200, body: Buffer.from(text) });
const repeated = '<body xmlns="http://jabber.org/protocol/httpbind" type="error"/>';

/** A window, and what came out of it. */
class Trial {
  readonly window = new RequestWindow<number>(size, first);
  readonly turns: number[] = [];

  sends(rid: number, more = 0): TestExchange & { readonly outside: boolean } {
    const exchange = new TestExchange(rid);
    const turns = this.window.take(rid, rid, exchange, 0, more);
    this.turns.push(...(turns ?? []));
    return Object.assign(exchange, { outside: turns === undefined });
  }
}

describe('The window of requests (XEP-0124 §14)', () => {
  it('lets an early request wait for those before it', () => {
    const trial = new Trial();
    trial.sends(first);
    trial.sends(first + 2);
    expect(trial.turns).to.deep.equal([first]);
    trial.sends(first + 1);
    expect(trial.turns).to.deep.equal([first, first + 1, first + 2]);
  });

  it('refuses ids outside, and forgets them', () => {
    const trial = new Trial();
    trial.sends(first);
    for (const rid of [first - 1, first + size + 1, 1, Number.MAX_SAFE_INTEGER])
      expect(trial.sends(rid).outside, String(rid)).to.equal(true);
    expect(trial.window.last).to.equal(first);
    expect(trial.window.open.map(({ rid }) => rid)).to.deep.equal([first]);
  });

  it('has room for one more request that pauses or ends the session', () => {
    const trial = new Trial();
    expect(trial.sends(first + size, 1).outside).to.equal(false);
  });

  it('repeats the last answers, and no older ones', () => {
    const trial = new Trial();
    for (let rid = first; rid < first + 4; rid++) {
      trial.sends(rid);
      trial.window.answer(answerOf(`answer ${rid}`));
    }
    expect(trial.sends(first + 1).outside).to.equal(true);
    expect(trial.sends(first + 2).answers).to.deep.equal([`answer ${first + 2}`]);
    expect(trial.sends(first + 3).answers).to.deep.equal([`answer ${first + 3}`]);
    trial.window.acknowledge(first + 2);
    expect(trial.sends(first + 2).outside).to.equal(true);
    expect(trial.sends(first + 3).answers).to.deep.equal([`answer ${first + 3}`]);
  });

  it('answers the newest of equal requests, and tells the others', () => {
    const trial = new Trial();
    const [one, other] = [trial.sends(first), trial.sends(first)];
    trial.window.answer(answerOf('news'));
    expect([one.answers, other.answers]).to.deep.equal([[repeated], ['news']]);
    const [early, again] = [trial.sends(first + 2), trial.sends(first + 2)];
    trial.window.close(answerOf('the end'));
    expect([early.answers, again.answers]).to.deep.equal([[repeated], ['the end']]);
  });

  it('gives every request one turn and one answer, whatever the network does', () => {
    const step = fc.oneof(fc.record({ send: fc.integer({ min: -3, max: 4 }) }), fc.constant('answer' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const trial = new Trial();
        const exchanges: (TestExchange & { readonly outside: boolean })[] = [];
        const given = new Map<number, string>();
        for (const one of steps) {
          if (one !== 'answer') exchanges.push(trial.sends(trial.window.last + one.send));
          else if (trial.window.open.length > 0) {
            const rid = trial.window.open[0]?.rid ?? 0;
            given.set(rid, `answer ${rid}`);
            trial.window.answer(answerOf(`answer ${rid}`));
          }
        }
        // In order, without a gap, each once.
        expect(trial.turns).to.deep.equal(trial.turns.map((_, index) => first + index));
        trial.window.close(answerOf('the end'));
        for (const { rid, answers, outside } of exchanges) {
          expect(answers).to.have.length(outside ? 0 : 1);
          if (!outside) expect([given.get(rid) ?? 'the end', repeated]).to.include(answers[0]);
        }
      }),
    );
  });
});
