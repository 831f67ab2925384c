import { expect } from 'chai';
import { hashOfToken, Invitations, uriOf } from '../../src/c2s/invitations.ts';
import { failureLimiter } from '../../src/c2s/negotiation/sasl/failure-limiter.ts';
import { Redemption, TooManyTokens } from '../../src/c2s/redemption.ts';
import { Jid } from '../../src/protocol/jid.ts';
import type { NewInvitation, StoredInvitation } from '../../src/storage/invitations.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

const juliet = Jid.parse('juliet@a.example');
const remoteAddress = '192.0.2.1';
const dayMs = 86_400_000;

/** Invitations in memory. */
class MemoryInvitations {
  readonly #byHash = new Map<string, StoredInvitation>();

  add = async ({ tokenHash, ...terms }: NewInvitation) => {
    this.#byHash.set(tokenHash.toString('hex'), { ...terms, id: this.#byHash.size + 1 });
    return this.#byHash.size;
  };
  find = async (hash: Buffer) => this.#byHash.get(hash.toString('hex'));
  use = async (hash: Buffer) => this.#byHash.delete(hash.toString('hex'));
  list = async () => [...this.#byHash.values()];
  remove = async () => false;
}

describe('The redemption of invitations', () => {
  let clock: ManualClock;
  let store: MemoryInvitations;
  let invitations: Invitations;
  let suspended: Set<string>;
  let redemption: Redemption;
  let enabled: boolean;
  const registered: string[] = [];

  beforeEach(() => {
    clock = new ManualClock();
    store = new MemoryInvitations();
    suspended = new Set();
    enabled = true;
    const options = { enabled: true, url: 'https://a.example', lifetimeMs: 7 * dayMs, maxOfMaker: 5 };
    invitations = new Invitations({ options, store, clock });
    redemption = makeRedemption();
  });

  function makeRedemption(): Redemption {
    return new Redemption({
      store,
      registrar: {
        create: async (account, password, how) => {
          registered.push(`${account} ${password} ${how?.invitation?.toString('hex').length}`);
        },
        resetPassword: async () => {},
      },
      account: () => undefined,
      connect: async () => {},
      isSuspended: (account) => suspended.has(account),
      options: { enabled },
      limiter: failureLimiter({ failuresPerIp: 3, failureWindowSeconds: 60, blockSeconds: 600 }, clock),
      clock,
      log: new RecordingLog(),
    });
  }

  async function token(changes: Partial<Parameters<Invitations['create']>[0]> = {}): Promise<string> {
    const made = await invitations.create({ kind: 'account', domain: 'a.example', ...changes });
    if (typeof made === 'string') throw new Error(made);
    return /[^/]+$/.exec(made.landingUrl ?? '')?.[0] ?? '';
  }

  const find = (text: string, from = remoteAddress) => redemption.find(text, ['account'], { remoteAddress: from });

  it('gives tokens of 160 bits, each another one, of which the store knows a hash', async () => {
    const tokens = await Promise.all(Array.from({ length: 100 }, () => token()));
    expect(new Set(tokens).size).to.equal(100);
    for (const one of tokens) expect(one).to.match(/^[0-9a-v]{32}$/);
    expect(await store.find(hashOfToken(tokens[0] ?? ''))).to.not.equal(undefined);
  });

  it('finds an invitation for a day less than a week, and not after a week', async () => {
    const one = await token();
    clock.advance(7 * dayMs - 1);
    expect((await find(one))?.token).to.equal(one);
    clock.advance(1);
    expect(await find(one)).to.equal(undefined);
  });

  it('registers with an invitation that was found in time (XEP-0445 §4)', async () => {
    const found = await find(await token());
    clock.advance(8 * dayMs);
    if (found) await redemption.register(found, juliet, 'secret');
    expect(registered.at(-1)).to.equal('juliet@a.example secret 64');
  });

  for (const [what, change] of [
    ['of another kind', { kind: 'reset', account: juliet }],
    ['of a suspended maker', { maker: Jid.parse('tybalt@a.example') }],
    ['that leads to a suspended user', { account: Jid.parse('tybalt@a.example') }],
  ] as const) {
    it(`does not find one ${what}`, async () => {
      suspended.add('tybalt@a.example');
      expect(await find(await token(change))).to.equal(undefined);
    });
  }

  it('finds none for another domain', async () => {
    const one = await token();
    expect(await redemption.find(one, ['account'], { remoteAddress, domain: 'b.example' })).to.equal(undefined);
    expect(await redemption.find(one, ['account'], { remoteAddress, domain: 'a.example' })).to.not.equal(undefined);
  });

  it('finds none to register with, where nobody can', async () => {
    const one = await token();
    enabled = false;
    expect(await makeRedemption().find(one, ['account'], { remoteAddress })).to.equal(undefined);
  });

  it('blocks an address that guesses, also for a right token, and no other address', async () => {
    const right = await token();
    for (let tries = 0; tries < 3; tries++) expect(await find('v'.repeat(32))).to.equal(undefined);
    const outcome = await find(right).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(TooManyTokens);
    expect(await find(right, '192.0.2.2')).to.not.equal(undefined);
    clock.advance(600_000);
    expect(await find(right)).to.not.equal(undefined);
  });

  it('accepts a request for a subscription once, to the user who has invited', async () => {
    const account = { key: juliet.toString() } as Parameters<Redemption['accepts']>[1];
    const other = { key: 'nurse@a.example' } as Parameters<Redemption['accepts']>[1];
    const one = await token({ kind: 'contact', account: juliet, maker: juliet });
    expect(await redemption.accepts(one, other)).to.equal(false);
    expect(await redemption.accepts(one, account)).to.equal(true);
    expect(await redemption.accepts(one, account)).to.equal(false);
  });

  for (const [expected, wanted] of [
    ['xmpp:a.example?register;preauth=T', { kind: 'account' }],
    ['xmpp:romeo@a.example?register;preauth=T', { kind: 'account', username: 'romeo', account: juliet }],
    ['xmpp:juliet@a.example?roster;preauth=T;ibr=y', { kind: 'account', account: juliet }],
    ['xmpp:juliet@a.example?roster;preauth=T', { kind: 'contact', account: juliet }],
    ['xmpp:%C3%BC%3F%23@a.example?register;preauth=T', { kind: 'account', username: 'ü?#' }],
    [undefined, { kind: 'reset', account: juliet }],
  ] as const) {
    it(`writes the URI ${expected} (XEP-0147 §2)`, () => {
      expect(uriOf({ domain: 'a.example', account: undefined, username: undefined, ...wanted }, 'T')).to.equal(
        expected,
      );
    });
  }
});
