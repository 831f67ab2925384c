import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import type { Account } from '../../src/routing/account.ts';
import { AccountSlot } from '../../src/routing/account-slot.ts';
import { RoutingBench } from './routing-bench.ts';

const juliet = 'juliet@a.example';

describe('The slot of an extension on an account', () => {
  let bench: RoutingBench;
  let reads: string[];
  let answer: (key: string) => Promise<string>;
  let prefs: AccountSlot<string>;
  /** What the recorder of the extension has seen. */
  let planned: string[];

  beforeEach(() => {
    reads = [];
    planned = [];
    answer = (key) => Promise.resolve(`prefs of ${key}`);
    prefs = new AccountSlot((key) => {
      reads.push(key);
      return answer(key);
    });
    const inbound = (_: unknown, recipient: Account) => {
      planned.push(prefs.of(recipient));
      return undefined;
    };
    bench = new RoutingBench({ extensions: [{ accountSlots: [prefs], filter: { inbound } }] });
  });

  it('is filled before the first stanza for the account is planned', async () => {
    bench.accounts.add(juliet);
    const romeo = await bench.online('romeo@a.example/orchard');
    planned = [];
    await bench.says(romeo, `<message to='${juliet}'><body>hello</body></message>`);
    expect(planned).to.deep.equal([`prefs of ${juliet}`]);
  });

  it('is read in the same turn as the account', () => {
    bench.accounts.add(juliet);
    void bench.routing.accounts.get(Jid.parse(juliet));
    expect(bench.accounts.reads).to.deep.equal([juliet]);
    expect(reads).to.deep.equal([juliet]);
  });

  it('keeps the order of those that wait for the account (RFC 6120 §10.1)', async () => {
    bench.accounts.add(juliet);
    let open: (text: string) => void = () => undefined;
    answer = () => new Promise((resolve) => (open = resolve));
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (turn) => {
      await bench.routing.accounts.get(Jid.parse(juliet));
      order.push(turn);
    });
    await bench.settled();
    expect(order).to.deep.equal([]);
    open('late');
    await Promise.all(waiting);
    expect(order).to.deep.equal([1, 2, 3]);
    expect(reads).to.have.length(1);
  });

  it('keeps a state that was set until the account is loaded again', async () => {
    const account = await bench.account(juliet);
    prefs.set(account, 'changed');
    expect(prefs.of(account)).to.equal('changed');
    bench.routing.accounts.forget(juliet);
    const again = await bench.routing.accounts.get(Jid.parse(juliet));
    expect(again && prefs.of(again)).to.equal(`prefs of ${juliet}`);
  });

  it('that cannot be read prevents loading the account, until the next attempt', async () => {
    bench.accounts.add(juliet);
    answer = () => Promise.reject(new Error('no disk'));
    const failed = await Promise.allSettled([bench.routing.accounts.get(Jid.parse(juliet))]);
    expect(failed.map(({ status }) => status)).to.deep.equal(['rejected']);
    expect(bench.routing.accounts.peek(juliet)).to.equal(undefined);
    answer = (key) => Promise.resolve(`prefs of ${key}`);
    expect((await bench.routing.accounts.get(Jid.parse(juliet)))?.key).to.equal(juliet);
  });

  it('is attached only to existing accounts, and throws for accounts loaded without it', async () => {
    expect(await bench.routing.accounts.get(Jid.parse('nobody@a.example'))).to.equal(undefined);
    const account = await bench.account(juliet);
    const forgotten = new AccountSlot(() => Promise.resolve(1));
    expect(() => forgotten.of(account)).to.throw('without this slot');
  });
});
