import { expect } from 'chai';
import { strangers } from '../../src/extensions/strangers.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import type { Account } from '../../src/routing/account.ts';
import { PendingWork } from '../../src/routing/ack-scope.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench } from './bench.ts';

const limits = { perSender: 2, perDomain: 5, perAccount: 10 };

describe('Strangers on other servers', () => {
  /** What other servers were sent. */
  let answers: Stanza[] = [];
  const bench = new Bench((deps) => ({
    extensions: [strangers({ ...deps, limits })],
    remotes: { send: (stanza) => void answers.push(stanza) },
  }));
  let juliet: StubSession;

  beforeEach(async () => {
    juliet = await bench.user('juliet', '<presence/>');
    answers = [];
  });

  const from = (sender: string, to = juliet.account.jid.toString()) =>
    `<message from="${sender}" to="${to}" type="chat"><body>buy</body></message>`;
  /** Another server sends stanzas; how many of them juliet got. */
  async function send(...stanzas: readonly string[]): Promise<number> {
    juliet.taken();
    for (const stanza of stanzas) await bench.routing.router.fromServer(readStanza(stanza), new PendingWork());
    return juliet.taken().length;
  }
  const times = (count: number, make: (index: number) => string) => Array.from({ length: count }, (_, n) => make(n));
  /** Rosaline is in the roster of juliet, but may not see her presence. */
  const knowRosaline = (account: Account, contact: string) =>
    account.roster.set({ ...account.roster.getOrBlank(contact), inRoster: true });

  it('send twice the messages of a minute at once, and are told to wait', async () => {
    expect(await send(...times(6, () => from('spam@far.example/x')))).to.equal(4);
    expect(answers.map(({ type, to }) => `${type} ${to}`)).to.deep.equal(times(2, () => 'error spam@far.example/x'));
    expect(String(answers[0])).to.contain('resource-constraint').and.to.contain('type="wait"');
    bench.clock.advance(60_000);
    expect(await send(...times(3, () => from('spam@far.example/x')))).to.equal(2);
  });

  it('are counted for their domain, with as many addresses as they like', async () => {
    expect(await send(...times(20, (n) => from(`spam${n}@far.example`)))).to.equal(10);
    expect(await send(from('honest@near.example'))).to.equal(1);
  });

  it('are counted for the recipient, from as many domains as they like', async () => {
    expect(await send(...times(30, (n) => from(`spam@far${n}.example`)))).to.equal(20);
  });

  it('are counted where no account is, too', async () => {
    await send(...times(12, (n) => from(`spam@far.example`, `nobody${n}@localhost`)));
    const conditions = answers.map((one) => /service-unavailable|resource-constraint/.exec(String(one))?.[0]);
    expect(conditions).to.deep.equal([
      ...times(4, () => 'service-unavailable'),
      ...times(8, () => 'resource-constraint'),
    ]);
  });

  it('send requests for presence within the same limits', async () => {
    const request = `<presence from="spam@far.example" to="${juliet.account.jid}" type="subscribe"/>`;
    await send(...times(6, () => request));
    expect(answers.filter(({ kind, type }) => kind === 'presence' && type === 'error')).to.have.length(2);
  });

  it('are not limited in what nobody has to read: errors, presence, answers', async () => {
    const to = juliet.jid;
    const stanzas = times(
      9,
      () => `<message from="spam@far.example" to="${to}" type="error"><error type="cancel"/></message>`,
    );
    expect(await send(...stanzas)).to.equal(9);
  });

  it('are no strangers if they are in the roster, or got something from a client', async () => {
    knowRosaline(juliet.account, 'rosaline@far.example');
    expect(await send(...times(9, () => from('rosaline@far.example/x')))).to.equal(9);
    await bench.does(juliet, '<message to="shop@market.example"><body>how much?</body></message>');
    expect(await send(...times(9, () => from('shop@market.example/x')))).to.equal(9);
    await bench.does(juliet, '<presence to="hall@rooms.example/juliet"/>');
    const fromRoom = `<message from="hall@rooms.example/romeo" to="${juliet.jid}" type="groupchat"><body>hi</body></message>`;
    expect(await send(...times(9, () => fromRoom))).to.equal(9);
  });

  it('have more room if others of their domain are known', async () => {
    knowRosaline(juliet.account, 'rosaline@far.example');
    await send(from('rosaline@far.example/x'));
    expect(await send(...times(15, (n) => from(`new${n}@far.example`)))).to.equal(15);
  });

  it('are counted in the metrics', async () => {
    await send(...times(5, () => from('spam@far.example/x')));
    const [metric] = bench.routing.hooks.extensions.flatMap(({ metrics }) => metrics ?? []);
    expect([...((await metric?.read()) ?? [])]).to.deep.equal([{ labels: { limit: 'perSender' }, value: 1 }]);
  });
});
