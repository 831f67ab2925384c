import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { RosterItem } from '../../src/storage/rosters.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import type { StubSession } from '../support/stub-session.ts';
import { item } from './memory-stores.ts';
import { briefly, RoutingBench } from './routing-bench.ts';

const pendingIn = Buffer.from('<presence from="romeo@a.example" to="juliet@a.example" type="subscribe"/>');

/** Juliet with an interested, available session, and romeo likewise. */
async function lovers(
  bench: RoutingBench,
  julietKnows?: Partial<RosterItem>,
  romeoKnows?: Partial<RosterItem>,
): Promise<[StubSession, StubSession]> {
  const known = (contact: string, changes?: Partial<RosterItem>) => (changes ? [item(contact, changes)] : []);
  const juliet = await bench.connect('juliet@a.example/balcony', ...known('romeo@a.example', julietKnows));
  const romeo = await bench.connect('romeo@a.example/orchard', ...known('juliet@a.example', romeoKnows));
  for (const session of [juliet, romeo]) await bench.says(session, '<presence/>');
  await bench.settled();
  for (const session of [juliet, romeo]) session.interests.add('roster');
  for (const session of [juliet, romeo]) session.taken();
  return [juliet, romeo];
}

const knows = ({ account: { roster } }: StubSession, contact: string) => {
  const found = roster.get(contact);
  if (!found) return 'nothing';
  const { subscription, ask, approved, inRoster } = found;
  return [subscription, ask && 'ask', approved && 'approved', found.pendingIn && 'pending', inRoster || 'hidden']
    .filter((word) => typeof word === 'string')
    .join(' ');
};

describe('Subscriptions', () => {
  let bench: RoutingBench;
  beforeEach(() => {
    bench = new RoutingBench({ maxRosterItems: 2 });
  });

  it('come about: request, approval, presence (RFC 6121 §3.1)', async () => {
    const [juliet, romeo] = await lovers(bench);
    await bench.says(
      romeo,
      "<presence type='subscribe' to='juliet@a.example/ignored' id='s1'><status>me</status></presence>",
    );
    expect(briefly(romeo)).to.deep.equal(['iq set romeo@a.example query']);
    expect(juliet.taken()).to.deep.equal([
      '<presence from="romeo@a.example" to="juliet@a.example" id="s1" type="subscribe"><status>me</status></presence>',
    ]);
    expect([knows(romeo, 'juliet@a.example'), knows(juliet, 'romeo@a.example')]).to.deep.equal([
      'none ask',
      'none pending hidden',
    ]);
    await bench.says(juliet, "<presence type='subscribed' to='romeo@a.example'/>");
    expect(briefly(juliet)).to.deep.equal(['iq set juliet@a.example query']);
    // RFC 6121 §3.1.6: first the approval, then the push.
    expect(briefly(romeo)).to.deep.equal([
      'presence subscribed juliet@a.example',
      'iq set romeo@a.example query',
      'presence juliet@a.example/balcony',
    ]);
    expect([knows(romeo, 'juliet@a.example'), knows(juliet, 'romeo@a.example')]).to.deep.equal(['to', 'from']);
  });

  it('keeps the request for every session that becomes available (RFC 6121 §3.1.3)', async () => {
    const juliet = await bench.connect('juliet@a.example/balcony');
    await bench.routing.route(
      readStanza(
        "<presence type='subscribe' from='romeo@a.example/x' to='juliet@a.example'><status xml:lang='it'>O &amp; o</status><x xmlns='urn:x'><y/></x></presence>",
      ),
    );
    expect(juliet.taken()).to.deep.equal([]);
    const request =
      '<presence from="romeo@a.example" to="juliet@a.example" type="subscribe"><status xml:lang="it">O &amp; o</status><x xmlns="urn:x"><y/></x></presence>';
    for (let login = 0; login < 2; login++) {
      await bench.says(juliet, '<presence/>');
      expect(juliet.taken()).to.include(request);
      await bench.says(juliet, "<presence type='unavailable'/>");
      juliet.taken();
    }
    await bench.says(juliet, "<presence type='unsubscribed' to='romeo@a.example'/>");
    await bench.says(juliet, '<presence/>');
    expect(juliet.taken()).to.not.include(request);
    expect(knows(juliet, 'romeo@a.example')).to.equal('nothing');
  });

  it('asks once, however often the contact does', async () => {
    const [juliet] = await lovers(bench);
    const subscribe = readStanza("<presence type='subscribe' from='romeo@a.example' to='juliet@a.example'/>");
    await bench.routing.route(subscribe);
    await bench.routing.route(subscribe);
    expect(briefly(juliet)).to.deep.equal(['presence subscribe romeo@a.example']);
    expect(bench.rosters.calls).to.have.length(1);
  });

  it('are granted beforehand, once (RFC 6121 §3.4)', async () => {
    const [juliet, romeo] = await lovers(bench);
    await bench.says(juliet, "<presence type='subscribed' to='romeo@a.example'/>");
    expect(juliet.taken().join()).to.contain('<item jid="romeo@a.example" subscription="none" approved="true"/>');
    expect(briefly(romeo)).to.deep.equal([]);
    await bench.says(romeo, "<presence type='subscribe' to='juliet@a.example'/>");
    expect(briefly(juliet)).to.deep.equal(['iq set juliet@a.example query']);
    expect(briefly(romeo)).to.deep.equal([
      'iq set romeo@a.example query',
      'presence subscribed juliet@a.example',
      'iq set romeo@a.example query',
      'presence juliet@a.example/balcony',
    ]);
    expect(knows(juliet, 'romeo@a.example')).to.equal('from');
  });

  it('are confirmed to a contact that has one and asks again (RFC 6121 §3.1.3)', async () => {
    const [juliet, romeo] = await lovers(bench, { subscription: 'from' }, { subscription: 'none' });
    await bench.says(romeo, "<presence type='subscribe' to='juliet@a.example'/>");
    expect(briefly(juliet)).to.deep.equal([]);
    expect(briefly(romeo)).to.include('presence subscribed juliet@a.example');
    expect(knows(romeo, 'juliet@a.example')).to.equal('to');
  });

  it('are repeated by every session that comes online, until they are answered (RFC 6121 §3.1.2)', async () => {
    const sent: string[] = [];
    const away = new RoutingBench({
      remotes: {
        send: (stanza, { failed }) => {
          sent.push(`${stanza.type} ${stanza.from} ${stanza.to} ${stanza.id !== undefined}`);
          void failed(StanzaError.remoteServerTimeout());
        },
      },
    });
    const romeo = await away.connect('romeo@a.example/orchard', item('juliet@elsewhere.example', { ask: true }));
    for (const presence of ['<presence/>', '<presence><show>away</show></presence>']) await away.says(romeo, presence);
    await away.settled();
    expect(sent).to.deep.equal(['subscribe romeo@a.example juliet@elsewhere.example true']);
    expect(knows(romeo, 'juliet@elsewhere.example')).to.equal('none ask');
    for (const [waitMs, count] of [
      [599_999, 1],
      [1, 2],
      [1, 2],
    ] as const) {
      away.clock.advance(waitMs);
      await away.says(romeo, "<presence type='unavailable'/>");
      await away.says(romeo, '<presence/>');
      expect(sent).to.have.length(count);
    }
    await away.says(romeo, "<presence type='unsubscribe' to='juliet@elsewhere.example'/>");
    for (const presence of ["<presence type='unavailable'/>", '<presence/>']) await away.says(romeo, presence);
    expect(sent.filter((line) => line.startsWith('subscribe '))).to.have.length(2);
  });

  it('come about at last if it was the approval that got lost (RFC 6121 §3.1.3)', async () => {
    const [juliet, romeo] = await lovers(bench, { subscription: 'from' }, { ask: true });
    expect([knows(romeo, 'juliet@a.example'), briefly(juliet)]).to.deep.equal(['to', []]);
  });

  describe('end', () => {
    it('when the contact takes its approval back: it sees the end of the presence it saw (RFC 6121 §3.2.2)', async () => {
      const [juliet, romeo] = await lovers(bench, { subscription: 'from' }, { subscription: 'to' });
      await bench.connect('juliet@a.example/silent');
      await bench.says(juliet, "<presence type='unsubscribed' to='romeo@a.example'/>");
      expect(briefly(romeo)).to.deep.equal([
        'presence unsubscribed juliet@a.example',
        'iq set romeo@a.example query',
        'presence unavailable juliet@a.example/balcony',
      ]);
      expect([knows(romeo, 'juliet@a.example'), knows(juliet, 'romeo@a.example')]).to.deep.equal(['none', 'none']);
    });

    it('when the subscriber wants no more (RFC 6121 §3.3.3)', async () => {
      const [juliet, romeo] = await lovers(bench, { subscription: 'from' }, { subscription: 'to' });
      await bench.says(romeo, "<presence type='unsubscribe' to='juliet@a.example'/>");
      expect(briefly(juliet)).to.deep.equal(['presence unsubscribe romeo@a.example', 'iq set juliet@a.example query']);
      expect(briefly(romeo)).to.deep.equal([
        'iq set romeo@a.example query',
        'presence unavailable juliet@a.example/balcony',
      ]);
    });

    it('in both directions when the contact is removed (RFC 6121 §2.5.2)', async () => {
      const [juliet, romeo] = await lovers(bench, { subscription: 'both' }, { subscription: 'both' });
      await bench.routing.subscriptions.cancel(juliet.account, Jid.parse('romeo@a.example'));
      expect(briefly(juliet)).to.deep.equal([
        'iq set juliet@a.example query',
        'presence unavailable romeo@a.example/orchard',
      ]);
      expect(briefly(romeo)).to.deep.equal([
        'presence unsubscribe juliet@a.example',
        'iq set romeo@a.example query',
        'presence unsubscribed juliet@a.example',
        'iq set romeo@a.example query',
        'presence unavailable juliet@a.example/balcony',
      ]);
      expect([knows(romeo, 'juliet@a.example'), knows(juliet, 'romeo@a.example')]).to.deep.equal(['none', 'nothing']);
    });

    it('with nothing to say where nothing was', async () => {
      const [juliet, romeo] = await lovers(bench, {});
      romeo.account.roster.set(item('juliet@a.example', { subscription: 'both' }));
      await bench.routing.subscriptions.cancel(juliet.account, Jid.parse('romeo@a.example'));
      expect(briefly(juliet)).to.deep.equal(['iq set juliet@a.example query']);
      expect(briefly(romeo)).to.deep.equal([]);
      expect(knows(romeo, 'juliet@a.example')).to.equal('both');
    });
  });

  describe('never reveal presence to those who may not see it (RFC 6121 §11)', () => {
    const ends: Record<string, (juliet: StubSession, romeo: StubSession) => unknown> = {
      'a request is denied': (juliet) => bench.says(juliet, "<presence type='unsubscribed' to='romeo@a.example'/>"),
      'a request is withdrawn': (_, romeo) => bench.says(romeo, "<presence type='unsubscribe' to='juliet@a.example'/>"),
      'a request ends with the item': (juliet) =>
        bench.routing.subscriptions.cancel(juliet.account, Jid.parse('romeo@a.example')),
    };
    for (const [title, end] of Object.entries(ends)) {
      it(`when ${title}`, async () => {
        const [juliet, romeo] = await lovers(bench, { pendingIn, inRoster: false }, { ask: true });
        await end(juliet, romeo);
        await bench.settled();
        expect(romeo.sent.filter(({ from }) => from?.toString().startsWith('juliet@a.example/'))).to.deep.equal([]);
        expect(romeo.sent.map(String).join()).to.not.contain('unavailable');
        expect(knows(juliet, 'romeo@a.example')).to.equal('nothing');
      });
    }
  });

  describe('need room in the roster', () => {
    it('of the owner, who gets an error', async () => {
      const juliet = await bench.online('juliet@a.example/balcony', item('a@a.example'), item('b@a.example'));
      for (const type of ['subscribe', 'subscribed']) {
        await bench.says(juliet, `<presence type='${type}' to='romeo@a.example'/>`);
        expect(briefly(juliet), type).to.deep.equal(['presence error romeo@a.example resource-constraint']);
      }
      for (const type of ['unsubscribe', 'unsubscribed']) {
        await bench.says(juliet, `<presence type='${type}' to='romeo@a.example'/>`);
        expect(briefly(juliet), type).to.deep.equal([]);
      }
      expect(knows(juliet, 'romeo@a.example')).to.equal('nothing');
      expect(bench.rosters.calls.filter((call) => call.startsWith('put'))).to.deep.equal([]);
    });

    it('of the contact, whose client gets only requests that are kept', async () => {
      const waiting = { pendingIn, inRoster: false };
      const strangers = [item('a@a.example', waiting), item('b@a.example', waiting)];
      const juliet = await bench.online('juliet@a.example/balcony', ...strangers);
      juliet.taken();
      await bench.online('romeo@a.example/orchard');
      await bench.routing.route(
        readStanza("<presence type='subscribe' from='romeo@a.example' to='juliet@a.example'/>"),
      );
      expect(briefly(juliet)).to.deep.equal([]);
      expect(juliet.account.roster.size).to.equal(2);
      await bench.routing.route(
        readStanza("<presence type='subscribed' from='romeo@a.example' to='juliet@a.example'/>"),
      );
      expect(bench.rosters.calls).to.deep.equal([]);
    });

    it('but not for contacts that are in it, whatever their version', async () => {
      const [juliet] = await lovers(bench, { pendingIn, inRoster: false, version: 0 });
      juliet.account.roster.set(item('b@a.example'));
      await bench.says(juliet, "<presence type='subscribed' to='romeo@a.example'/>");
      expect(knows(juliet, 'romeo@a.example')).to.equal('from');
      await bench.says(juliet, "<presence type='subscribe' to='romeo@a.example'/>");
      expect(knows(juliet, 'romeo@a.example')).to.equal('from ask');
    });
  });

  it('reach the contact only when they are durable', async () => {
    const [juliet, romeo] = await lovers(bench);
    let open = () => {};
    bench.rosters.before = () =>
      new Promise((resolve) => {
        open = resolve;
      });
    const asked = bench.says(romeo, "<presence type='subscribe' to='juliet@a.example'/>");
    for (const writer of ['romeo', 'juliet']) {
      await bench.settled();
      expect(briefly(juliet), `while ${writer}'s roster is being written`).to.deep.equal([]);
      open();
    }
    await asked;
    expect(briefly(juliet)).to.deep.equal(['presence subscribe romeo@a.example']);
  });

  it('may be asked for by so many strangers at a time and no more, each in few words (RFC 6120 §13.12)', async () => {
    bench = new RoutingBench({ maxRosterItems: 100 });
    const [juliet] = await lovers(bench);
    const ask = (name: string, content = '') =>
      bench.routing.route(
        readStanza(`<presence type='subscribe' from='${name}@b.example' to='juliet@a.example'>${content}</presence>`),
      );
    for (let number = 0; number < 101; number++) await ask(`spammer${number}`, 'x'.repeat(5000));
    const { roster } = juliet.account;
    expect([roster.size, knows(juliet, 'spammer100@b.example')]).to.deep.equal([100, 'nothing']);
    expect(roster.get('spammer99@b.example')?.pendingIn?.length).to.be.below(200);
    expect(juliet.taken()).to.have.length(100);
  });

  it('are not between an account and itself', async () => {
    const [juliet] = await lovers(bench);
    for (const type of ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']) {
      await bench.says(juliet, `<presence type='${type}' to='juliet@a.example'/>`);
      expect(briefly(juliet)).to.deep.equal(['presence error juliet@a.example not-allowed']);
    }
    expect(bench.rosters.calls).to.deep.equal([]);
  });
});
