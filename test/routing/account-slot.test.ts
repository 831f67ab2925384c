import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import type { Account } from '../../src/routing/account.ts';
import { AccountSlot } from '../../src/routing/account-slot.ts';
import { House } from './house.ts';

const juliet = 'juliet@a.example';

describe('The slot of an extension on an account', () => {
  let house: House;
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
    house = new House({ extensions: [{ accountSlots: [prefs], filter: { inbound } }] });
  });

  it('is filled before the first stanza for the account is planned', async () => {
    house.accounts.add(juliet);
    const romeo = await house.online('romeo@a.example/orchard');
    planned = [];
    await house.says(romeo, `<message to='${juliet}'><body>hello</body></message>`);
    expect(planned).to.deep.equal([`prefs of ${juliet}`]);
  });

  it('is read in the same turn as the account', () => {
    house.accounts.add(juliet);
    void house.routing.accounts.get(Jid.parse(juliet));
    expect(house.accounts.reads).to.deep.equal([juliet]);
    expect(reads).to.deep.equal([juliet]);
  });

  it('keeps the order of those who wait for the account (RFC 6120 §10.1)', async () => {
    house.accounts.add(juliet);
    let open: (text: string) => void = () => undefined;
    answer = () => new Promise((resolve) => (open = resolve));
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (turn) => {
      await house.routing.accounts.get(Jid.parse(juliet));
      order.push(turn);
    });
    await house.settled();
    expect(order).to.deep.equal([]);
    open('late');
    await Promise.all(waiting);
    expect(order).to.deep.equal([1, 2, 3]);
    expect(reads).to.have.length(1);
  });

  it('keeps what is set, until the account is read again', async () => {
    const account = await house.account(juliet);
    prefs.set(account, 'changed');
    expect(prefs.of(account)).to.equal('changed');
    house.routing.accounts.forget(juliet);
    const again = await house.routing.accounts.get(Jid.parse(juliet));
    expect(again && prefs.of(again)).to.equal(`prefs of ${juliet}`);
  });

  it('that cannot be read keeps the account from being loaded, until the next attempt', async () => {
    house.accounts.add(juliet);
    answer = () => Promise.reject(new Error('no disk'));
    const failed = await Promise.allSettled([house.routing.accounts.get(Jid.parse(juliet))]);
    expect(failed.map(({ status }) => status)).to.deep.equal(['rejected']);
    expect(house.routing.accounts.peek(juliet)).to.equal(undefined);
    answer = (key) => Promise.resolve(`prefs of ${key}`);
    expect((await house.routing.accounts.get(Jid.parse(juliet)))?.key).to.equal(juliet);
  });

  it('is not attached to nobody, and refuses accounts that it was not loaded with', async () => {
    expect(await house.routing.accounts.get(Jid.parse('nobody@a.example'))).to.equal(undefined);
    const account = await house.account(juliet);
    const forgotten = new AccountSlot(() => Promise.resolve(1));
    expect(() => forgotten.of(account)).to.throw('without this slot');
  });
});
