import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import type { Account } from '../../src/routing/account.ts';
import { Accounts } from '../../src/routing/accounts.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { item, MemoryAccounts } from './memory-stores.ts';

const juliet = Jid.parse('juliet@a.example');

describe('The accounts in memory', () => {
  let store: MemoryAccounts;
  let inUse: Set<string>;
  let accounts: Accounts;
  let clock: ManualClock;

  beforeEach(() => {
    store = new MemoryAccounts();
    inUse = new Set();
    store.add('juliet@a.example', item('romeo@a.example', { subscription: 'both' }));
    clock = new ManualClock();
    accounts = new Accounts(store, (key) => inUse.has(key), clock, 4);
  });

  it('are read once, however many ask at a time, and are there at once from then on', async () => {
    const asked = [accounts.get(juliet), accounts.get(juliet.withResource('balcony')), accounts.get(juliet)];
    const [first, ...others] = await Promise.all(asked);
    for (const other of others) expect(other).to.equal(first);
    expect(accounts.get(juliet)).to.equal(first);
    expect(accounts.peek('juliet@a.example')).to.equal(first);
    expect(first?.roster.get('romeo@a.example')?.subscription).to.equal('both');
    expect(store.reads).to.deep.equal(['juliet@a.example']);
  });

  it('let callers go on in the order in which they asked (RFC 6120 §10.1)', async () => {
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3].map(async (turn) => {
        await accounts.get(juliet);
        order.push(turn);
      }),
    );
    expect(order).to.deep.equal([1, 2, 3]);
  });

  it('are known not to exist, too', async () => {
    const nobody = Jid.parse('nobody@a.example');
    expect(await accounts.get(nobody)).to.equal(undefined);
    expect(accounts.get(nobody)).to.equal(undefined);
    clock.advance(4999);
    expect(accounts.get(nobody)).to.equal(undefined);
    expect(store.reads).to.have.length(1);
  });

  it('are looked for again after five seconds if they did not exist', async () => {
    const late = Jid.parse('late@a.example');
    await accounts.get(late);
    store.add('late@a.example');
    clock.advance(5000);
    const found = await accounts.get(late);
    expect(found?.key).to.equal('late@a.example');
    expect(accounts.peek('late@a.example')).to.equal(found);
    clock.advance(60_000);
    expect(accounts.get(late)).to.equal(found);
  });

  it('are read again when forgotten', async () => {
    const nobody = Jid.parse('nobody@a.example');
    await accounts.get(nobody);
    store.add('nobody@a.example');
    accounts.forget('nobody@a.example');
    expect(await accounts.get(nobody)).to.not.equal(undefined);
  });

  it('are read again when forgotten while they were being read', async () => {
    const gates: (() => void)[] = [];
    store.before = () => new Promise((resolve) => gates.push(resolve));
    const asked = accounts.get(Jid.parse('late@a.example')) as Promise<Account | undefined>;
    store.add('late@a.example');
    accounts.forget('late@a.example');
    const askedLater = accounts.get(Jid.parse('late@a.example')) as Promise<Account | undefined>;
    for (const open of gates) open();
    const account = await asked;
    expect(account?.key).to.equal('late@a.example');
    expect(await askedLater).to.equal(account);
    expect(accounts.peek('late@a.example')).to.equal(account);
    expect(store.reads).to.have.length(2);
  });

  it('are loaded again after a failure, which all waiting callers get', async () => {
    store.before = () => Promise.reject(new Error('no disk'));
    const failures = await Promise.allSettled([accounts.get(juliet), accounts.get(juliet)]);
    expect(failures.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    store.before = () => Promise.resolve();
    expect((await accounts.get(juliet))?.key).to.equal('juliet@a.example');
  });

  async function load(...names: string[]): Promise<void> {
    for (const name of names) await accounts.get(Jid.parse(`${name}@a.example`));
  }

  it('are bounded: the oldest without a session go', async () => {
    inUse.add('n1@a.example');
    await load('n1', 'n2', 'n3', 'n4', 'n5');
    const known = ['n1', 'n2', 'n3', 'n4', 'n5'].filter(
      (name) => accounts.get(Jid.parse(`${name}@a.example`)) === undefined,
    );
    expect(known).to.deep.equal(['n1', 'n3', 'n4', 'n5']);
  });

  it('never lose one with a session, however many there are', async () => {
    store.add('juliet@a.example');
    const account = await accounts.get(juliet);
    inUse.add('juliet@a.example');
    for (let turn = 0; turn < 200; turn++) {
      store.add(`n${turn}@a.example`);
      if (turn % 3 === 0) inUse.add(`n${turn}@a.example`);
      await load(`n${turn}`);
    }
    expect(accounts.get(juliet)).to.equal(account);
    for (const key of inUse) expect(accounts.peek(key)?.key, key).to.equal(key);
    const idle = Array.from({ length: 200 }, (_, turn) => `n${turn}@a.example`).filter((key) => !inUse.has(key));
    expect(idle.filter((key) => accounts.peek(key)).length).to.be.below(80);
  });

  it('never drop an account that was just loaded, because its caller is about to use it', async () => {
    for (const name of ['n1', 'n2', 'n3', 'n4']) inUse.add(`${name}@a.example`);
    store.add('n6@a.example');
    await load('n1', 'n2', 'n3', 'n4');
    const [, latest] = await Promise.all([
      accounts.get(Jid.parse('n5@a.example')),
      accounts.get(Jid.parse('n6@a.example')),
    ]);
    expect(accounts.peek('n6@a.example')).to.equal(latest);
    expect(latest).to.not.equal(undefined);
  });

  it('may all have a session and be forgotten one by one', async () => {
    for (let turn = 0; turn < 6; turn++) inUse.add(`n${turn}@a.example`);
    await load('n0', 'n1', 'n2', 'n3', 'n4');
    accounts.forget('n5@a.example');
    await load('n5');
    expect(store.reads).to.have.length(6);
  });
});
