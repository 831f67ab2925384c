import { expect } from 'chai';
import { newAccounts } from '../../src/extensions/new-accounts.ts';
import { Jid } from '../../src/protocol/jid.ts';
import type { Extension } from '../../src/routing/extension.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench } from './bench.ts';

const hourMs = 3_600_000;
let names = 0;

describe('Users of new accounts', () => {
  const limits = { hours: 24, strangersPerHour: 3 };
  let extension: ReturnType<typeof newAccounts>;
  const bench = new Bench((deps) => {
    extension = newAccounts({ ...deps, limits });
    return { extensions: [extension] as readonly Extension<never>[], remotes: { send: () => undefined } };
  });

  /** A session of an account that its user has just registered. */
  async function registered(): Promise<StubSession> {
    const jid = `new${++names}@localhost`;
    await bench.storage.accounts.create(jid, { scram: {} }, {});
    const account = await bench.routing.accounts.get(Jid.parse(jid));
    return bench.session(account ?? expect.fail('the account is not there'), 'home', '<presence/>');
  }
  /** How many of the stanzas were refused. */
  async function refused(session: StubSession, ...stanzas: readonly string[]): Promise<number> {
    const answers: string[] = [];
    for (const stanza of stanzas) answers.push(...(await bench.asks(session, stanza)));
    return answers.filter((answer) => answer.includes('resource-constraint')).length;
  }
  const message = (to: string) => `<message to="${to}" type="chat"><body>buy</body></message>`;
  const subscribe = (to: string) => `<presence to="${to}" type="subscribe"/>`;
  const strangers = (count: number, make = message, domain = 'far.example') =>
    Array.from({ length: count }, (_, index) => make(`${index}@${domain}`));

  it('write to few strangers in an hour, but to each as much as they like', async () => {
    const session = await registered();
    expect(await refused(session, ...strangers(5))).to.equal(2);
    expect(await refused(session, ...strangers(3), ...strangers(3))).to.equal(0);
    expect(await refused(session, message('next@far.example'))).to.equal(1);
    bench.clock.advance(hourMs / 3);
    expect(await refused(session, message('next@far.example'))).to.equal(0);
  });

  it('ask few strangers for a subscription, here and elsewhere', async () => {
    expect(await refused(await registered(), ...strangers(5, subscribe))).to.equal(2);
    expect(await refused(await registered(), ...strangers(5, message, 'localhost'))).to.equal(2);
  });

  it('are not limited with contacts, servers, rooms and themselves', async () => {
    const session = await registered();
    const { roster } = session.account;
    for (let index = 0; index < 9; index++)
      roster.set({ ...roster.getOrBlank(`${index}@far.example`), subscription: 'to', inRoster: true });
    expect(await refused(session, ...strangers(9))).to.equal(0);
    const groupchat = (to: string) => message(to).replace('chat', 'groupchat');
    expect(await refused(session, ...strangers(9, groupchat, 'rooms.example'))).to.equal(0);
    expect(await refused(session, ...Array.from({ length: 9 }, () => message('far.example')))).to.equal(0);
    expect(await refused(session, ...Array.from({ length: 9 }, () => message(session.account.key)))).to.equal(0);
    expect(await refused(session, ...strangers(9, subscribe, 'near.example'))).to.equal(6);
  });

  it('answer those who have written first', async () => {
    const session = await registered();
    await refused(session, ...strangers(3));
    const juliet = await bench.user('juliet', '<presence/>');
    expect(await refused(session, message(juliet.jid.toString()))).to.equal(1);
    await bench.does(juliet, message(session.jid.toString()));
    expect(await refused(session, message(juliet.jid.toString()))).to.equal(0);
  });

  it('are limited for a day only, and not if the operator has made the account', async () => {
    const session = await registered();
    bench.clock.advance(24 * hourMs);
    expect(await refused(session, ...strangers(9))).to.equal(0);
    expect(await refused(await bench.user('romeo', '<presence/>'), ...strangers(9))).to.equal(0);
  });

  it('have other limits after a reload, and are counted in the metrics', async () => {
    const session = await registered();
    expect(await refused(session, ...strangers(4))).to.equal(1);
    const [metric] = extension.metrics ?? [];
    expect([...((await metric?.read()) ?? [])]).to.deep.equal([{ value: 1 }]);
    (await extension.reload?.({ newAccounts: { hours: 0, strangersPerHour: 1 } }))?.();
    expect(await refused(session, ...strangers(9))).to.equal(0);
  });
});
