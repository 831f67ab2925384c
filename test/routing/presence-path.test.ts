import { expect } from 'chai';
import type { RosterItem } from '../../src/storage/rosters.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import type { StubSession } from '../support/stub-session.ts';
import { item } from './memory-stores.ts';
import { briefly, RoutingBench } from './routing-bench.ts';

const subscriptions: readonly RosterItem['subscription'][] = ['none', 'to', 'from', 'both'];

/** Juliet's contacts, one in each state, all online. */
async function verona(bench: RoutingBench): Promise<{ roster: RosterItem[]; contacts: Map<string, StubSession> }> {
  const contacts = new Map<string, StubSession>();
  for (const subscription of subscriptions)
    contacts.set(subscription, await bench.online(`${subscription}@a.example/home`));
  return { roster: subscriptions.map((subscription) => item(`${subscription}@a.example`, { subscription })), contacts };
}

function heard(contacts: ReadonlyMap<string, StubSession>): Record<string, string[]> {
  const pairs = [...contacts].map(([name, session]) => [name, briefly(session)] as const);
  return Object.fromEntries(pairs.filter(([, stanzas]) => stanzas.length > 0));
}

describe('The presence path', () => {
  let bench: RoutingBench;
  beforeEach(() => {
    bench = new RoutingBench({ maxDirectedPresences: 2 });
  });

  describe('Initial presence (RFC 6121 §4.2)', () => {
    it('goes to subscribers and to all own resources, and probes contacts with a subscription (RFC 6121 §4.2.2)', async () => {
      const { roster, contacts } = await verona(bench);
      for (const { account } of contacts.values())
        account.roster.set(item('juliet@a.example', { subscription: 'from' }));
      const chamber = await bench.online('juliet@a.example/chamber', ...roster);
      const silent = await bench.connect('juliet@a.example/silent');
      heard(contacts);
      const balcony = await bench.connect('juliet@a.example/balcony');
      await bench.says(balcony, '<presence><show>away</show></presence>');
      await bench.settled();
      expect(heard(contacts)).to.deep.equal({
        from: ['presence juliet@a.example/balcony show'],
        both: ['presence juliet@a.example/balcony show'],
      });
      expect(briefly(chamber)).to.deep.equal(['presence juliet@a.example/balcony show']);
      expect(briefly(silent)).to.deep.equal([]);
      expect(briefly(balcony)).to.deep.equal([
        'presence juliet@a.example/balcony show',
        'presence juliet@a.example/chamber',
        'presence to@a.example/home',
        'presence both@a.example/home',
      ]);
    });

    it('is addressed to each that gets it', async () => {
      const friend = await bench.online('friend@a.example/home');
      const balcony = await bench.connect(
        'juliet@a.example/balcony',
        item('friend@a.example', { subscription: 'from' }),
      );
      await bench.says(balcony, '<presence/>');
      expect(friend.taken()).to.deep.equal(['<presence from="juliet@a.example/balcony" to="friend@a.example"/>']);
      expect(balcony.taken()).to.deep.equal([
        '<presence from="juliet@a.example/balcony" to="juliet@a.example/balcony"/>',
      ]);
    });

    it('is not followed by probes when it changes (RFC 6121 §4.4)', async () => {
      const friend = await bench.online('friend@a.example/home', item('juliet@a.example', { subscription: 'both' }));
      const balcony = await bench.online(
        'juliet@a.example/balcony',
        item('friend@a.example', { subscription: 'both' }),
      );
      friend.taken();
      await bench.says(balcony, '<presence><show>dnd</show></presence>');
      expect(briefly(friend)).to.deep.equal(['presence juliet@a.example/balcony show']);
      expect(briefly(balcony)).to.deep.equal(['presence juliet@a.example/balcony show']);
    });

    it('does not wait for accounts that are not in memory', async () => {
      const balcony = await bench.connect(
        'juliet@a.example/balcony',
        item('friend@a.example', { subscription: 'both' }),
      );
      bench.accounts.before = () => new Promise(() => {});
      expect(bench.says(balcony, '<presence/>')).to.equal(undefined);
      expect(briefly(balcony)).to.deep.equal(['presence juliet@a.example/balcony']);
    });
  });

  describe('The priority (RFC 6121 §4.7.2.3)', () => {
    const good: Record<string, number> = {
      '0': 0,
      '127': 127,
      '-128': -128,
      '+5': 5,
      ' 7 ': 7,
      '007': 7,
      '-0': -0,
      '': 0,
      ' \n': 0,
    };
    for (const [text, value] of Object.entries(good)) {
      it(`may be '${text}'`, async () => {
        const balcony = await bench.connect('juliet@a.example/balcony');
        await bench.says(balcony, `<presence><priority>${text}</priority></presence>`);
        expect(balcony.presence.priority).to.equal(value);
      });
    }
    for (const text of ['128', '-129', '1.5', '1e1', '0x1', 'high', '99999999999', '--1', '1 2']) {
      it(`may not be '${text}', and then nothing has changed`, async () => {
        const balcony = await bench.connect(
          'juliet@a.example/balcony',
          item('friend@a.example', { subscription: 'from' }),
        );
        const friend = await bench.online('friend@a.example/home');
        await bench.says(balcony, '<presence><priority>3</priority></presence>');
        const before = balcony.presence.available;
        for (const session of [balcony, friend]) session.taken();
        await bench.says(balcony, `<presence><priority>${text}</priority></presence>`);
        expect(briefly(balcony)).to.deep.equal(['presence error juliet@a.example bad-request']);
        expect(briefly(friend)).to.deep.equal([]);
        expect(balcony.presence.priority).to.equal(3);
        expect(balcony.presence.available).to.equal(before);
      });
    }
    it('is 0 when it is not there, also after another', async () => {
      const balcony = await bench.online('juliet@a.example/balcony');
      await bench.says(balcony, '<presence><priority>-5</priority></presence>');
      expect(balcony.presence.priority).to.equal(-5);
      await bench.says(balcony, "<presence><priority xmlns='urn:x'>9</priority></presence>");
      expect(balcony.presence.priority).to.equal(0);
    });
  });

  it('calls readyForMessages when a session can take messages, and only then', async () => {
    const able: string[] = [];
    bench = new RoutingBench({
      extensions: [{ readyForMessages: ({ presence }) => void able.push(`${presence.priority}`) }],
    });
    const balcony = await bench.connect('juliet@a.example/balcony');
    const says = (priority: number) => bench.says(balcony, `<presence><priority>${priority}</priority></presence>`);
    await says(-1);
    await says(1);
    await says(2);
    await says(-2);
    await says(3);
    await bench.says(balcony, "<presence type='unavailable'/>");
    await says(4);
    await bench.says(balcony, "<presence type='unavailable'/>");
    await says(-4);
    expect(able).to.deep.equal(['1', '3', '4']);
  });

  describe('Unavailable presence (RFC 6121 §4.5)', () => {
    it('goes to subscribers and own resources as the client wrote it (RFC 6121 §4.5.2)', async () => {
      const { roster, contacts } = await verona(bench);
      const balcony = await bench.online('juliet@a.example/balcony', ...roster);
      const chamber = await bench.online('juliet@a.example/chamber');
      for (const session of [balcony, ...contacts.values()]) session.taken();
      await bench.says(balcony, "<presence type='unavailable'><status>bye</status></presence>");
      expect(heard(contacts)).to.deep.equal({
        from: ['presence unavailable juliet@a.example/balcony status'],
        both: ['presence unavailable juliet@a.example/balcony status'],
      });
      expect(briefly(chamber)).to.deep.equal(['presence unavailable juliet@a.example/balcony status']);
      expect(briefly(balcony)).to.deep.equal(['presence unavailable juliet@a.example/balcony status']);
    });

    it('is said by the server when the session ends without it, once (RFC 6121 §4.5.2)', async () => {
      const { roster, contacts } = await verona(bench);
      const balcony = await bench.online('juliet@a.example/balcony', ...roster);
      const chamber = await bench.online('juliet@a.example/chamber');
      for (const session of [balcony, ...contacts.values()]) session.taken();
      bench.ends(balcony);
      const expected = ['presence unavailable juliet@a.example/balcony'];
      expect(heard(contacts)).to.deep.equal({ from: expected, both: expected });
      expect(briefly(chamber)).to.deep.equal(expected);
      expect(briefly(balcony)).to.deep.equal([]);
    });

    it('is not said twice, nor of a session that never was available', async () => {
      const { roster, contacts } = await verona(bench);
      const balcony = await bench.online('juliet@a.example/balcony', ...roster);
      await bench.says(balcony, "<presence type='unavailable'/>");
      heard(contacts);
      await bench.says(balcony, "<presence type='unavailable'/>");
      bench.ends(balcony);
      bench.ends(await bench.connect('juliet@a.example/chamber'));
      expect(heard(contacts)).to.deep.equal({});
    });
  });

  describe('Directed presence (RFC 6121 §4.6)', () => {
    it('goes to its address, which gets unavailable presence when the session ends (RFC 6121 §4.6.3)', async () => {
      const stranger = await bench.online('stranger@a.example/home');
      const other = await bench.online('other@a.example/home');
      const balcony = await bench.online('juliet@a.example/balcony');
      await bench.says(balcony, "<presence to='stranger@a.example/home'><status>here</status></presence>");
      await bench.says(balcony, "<presence to='other@a.example'/>");
      expect(stranger.taken()).to.deep.equal([
        '<presence from="juliet@a.example/balcony" to="stranger@a.example/home"><status>here</status></presence>',
      ]);
      expect(briefly(other)).to.deep.equal(['presence juliet@a.example/balcony']);
      bench.ends(balcony);
      for (const session of [stranger, other]) {
        expect(briefly(session)).to.deep.equal(['presence unavailable juliet@a.example/balcony']);
      }
    });

    it('ends also with an unavailable broadcast, and only once', async () => {
      const stranger = await bench.online('stranger@a.example/home');
      const balcony = await bench.online('juliet@a.example/balcony');
      await bench.says(balcony, "<presence to='stranger@a.example/home'/>");
      stranger.taken();
      await bench.says(balcony, "<presence type='unavailable'><status>bye</status></presence>");
      expect(briefly(stranger)).to.deep.equal(['presence unavailable juliet@a.example/balcony status']);
      bench.ends(balcony);
      expect(briefly(stranger)).to.deep.equal([]);
    });

    it('is over when the client says so', async () => {
      const stranger = await bench.online('stranger@a.example/home');
      const balcony = await bench.online('juliet@a.example/balcony');
      await bench.says(balcony, "<presence to='stranger@a.example/home'/>");
      await bench.says(balcony, "<presence to='stranger@a.example/home' type='unavailable'/>");
      stranger.taken();
      bench.ends(balcony);
      expect(briefly(stranger)).to.deep.equal([]);
    });

    it('ends once for subscribers, who get the broadcast, and for all others', async () => {
      const friend = await bench.online('friend@a.example/home');
      for (const broadcasts of [true, false]) {
        const balcony = await bench.connect(
          'juliet@a.example/balcony',
          item('friend@a.example', { subscription: 'from' }),
        );
        if (broadcasts) await bench.says(balcony, '<presence/>');
        await bench.says(balcony, "<presence to='friend@a.example'/>");
        friend.taken();
        bench.ends(balcony);
        expect(briefly(friend), `${broadcasts}`).to.deep.equal(['presence unavailable juliet@a.example/balcony']);
      }
    });

    it('is no initial presence', async () => {
      const friend = await bench.online('friend@a.example/home');
      const balcony = await bench.connect(
        'juliet@a.example/balcony',
        item('friend@a.example', { subscription: 'both' }),
      );
      await bench.online('stranger@a.example/home');
      await bench.says(balcony, "<presence to='stranger@a.example'/>");
      expect(briefly(friend)).to.deep.equal([]);
      expect(balcony.presence.available).to.equal(undefined);
    });

    it('may go to a limited number of addresses, to each as often as one likes', async () => {
      const balcony = await bench.online('juliet@a.example/balcony');
      for (const to of ['one', 'two', 'one', 'two']) await bench.says(balcony, `<presence to='${to}@a.example'/>`);
      expect(briefly(balcony)).to.deep.equal([]);
      await bench.says(balcony, "<presence to='three@a.example'/>");
      expect(briefly(balcony)).to.deep.equal(['presence error three@a.example resource-constraint']);
      await bench.says(balcony, "<presence type='unavailable' to='one@a.example'/>");
      await bench.says(balcony, "<presence to='three@a.example'/>");
      expect(briefly(balcony)).to.deep.equal([]);
    });

    it('reaches available resources at a bare JID, and any resource at its full JID (RFC 6121 §8.5.2.1.2)', async () => {
      const [home, silent] = [
        await bench.online('friend@a.example/home'),
        await bench.connect('friend@a.example/silent'),
      ];
      const low = await bench.online('friend@a.example/low');
      await bench.says(low, '<presence><priority>-1</priority></presence>');
      for (const session of [home, low]) session.taken();
      const balcony = await bench.online('juliet@a.example/balcony');
      await bench.says(balcony, "<presence to='friend@a.example'/>");
      expect([home, silent, low].map((session) => briefly(session).length)).to.deep.equal([1, 0, 1]);
      await bench.says(balcony, "<presence to='friend@a.example/silent'/>");
      expect([home, silent, low].map((session) => briefly(session).length)).to.deep.equal([0, 1, 0]);
    });

    it('of type error reaches the session it is for (RFC 6121 §8.5.3.1)', async () => {
      const home = await bench.online('friend@a.example/home');
      const balcony = await bench.online('juliet@a.example/balcony');
      await bench.says(balcony, "<presence type='error' to='friend@a.example/home'><error><gone/></error></presence>");
      expect(briefly(home)).to.deep.equal(['presence error juliet@a.example/balcony gone']);
    });
  });

  describe('A probe (RFC 6121 §4.3)', () => {
    const probe = (to: string, from = 'romeo@a.example/orchard') =>
      bench.routing.route(readStanza(`<presence type='probe' from='${from}' to='${to}'/>`));

    it('shows subscribers every available resource (RFC 6121 §4.3.2)', async () => {
      const romeo = await bench.online('romeo@a.example/orchard');
      await bench.online('juliet@a.example/balcony', item('romeo@a.example', { subscription: 'from' }));
      await bench.online('juliet@a.example/chamber');
      await bench.connect('juliet@a.example/silent');
      romeo.taken();
      await probe('juliet@a.example');
      expect(romeo.taken()).to.deep.equal([
        '<presence from="juliet@a.example/balcony" to="romeo@a.example/orchard"/>',
        '<presence from="juliet@a.example/chamber" to="romeo@a.example/orchard"/>',
      ]);
      await probe('juliet@a.example/chamber');
      expect(briefly(romeo)).to.deep.equal(['presence juliet@a.example/chamber']);
    });

    it('of a resource that is not there ends that resource alone', async () => {
      const romeo = await bench.online('romeo@a.example/orchard');
      await bench.online('juliet@a.example/balcony', item('romeo@a.example', { subscription: 'from' }));
      romeo.taken();
      await probe('juliet@a.example/gone');
      expect(briefly(romeo)).to.deep.equal(['presence unavailable juliet@a.example/gone']);
    });

    it('tells subscribers that the account is offline (RFC 6121 §4.3.2)', async () => {
      const romeo = await bench.online('romeo@a.example/orchard');
      await bench.connect('juliet@a.example/silent', item('romeo@a.example', { subscription: 'both' }));
      await probe('juliet@a.example');
      expect(briefly(romeo)).to.deep.equal(['presence unavailable juliet@a.example']);
    });

    it('gives all others the same answer for every account and without an account (RFC 6121 §11)', async () => {
      const romeo = await bench.online('romeo@a.example/orchard');
      await bench.online('online@a.example/x', item('romeo@a.example', { subscription: 'to' }));
      await bench.online('waiting@a.example/x', item('romeo@a.example', { pendingIn: Buffer.from('<presence/>') }));
      await bench.online('blank@a.example/x');
      await bench.account('offline@a.example');
      await bench.online('friends@a.example/x', item('romeo@b.example', { subscription: 'both' }));
      romeo.taken();
      for (const name of ['online', 'waiting', 'blank', 'offline', 'nobody', 'friends']) {
        for (const resource of ['', '/x', '/y']) {
          await probe(`${name}@a.example${resource}`);
          await bench.settled();
          expect(briefly(romeo), name + resource).to.deep.equal([]);
          // Romeo did not ask to subscribe, so his client does not hear of the refusal (RFC 6121 §A.3.4).
        }
      }
      romeo.account.roster.set(item('nobody@a.example', { subscription: 'to' }));
      romeo.account.roster.set(item('blank@a.example', { subscription: 'to' }));
      romeo.interests.add('roster');
      for (const name of ['nobody', 'blank']) {
        await probe(`${name}@a.example/x`);
        await bench.settled();
        expect(briefly(romeo), name).to.deep.equal([
          `presence unsubscribed ${name}@a.example`,
          'iq set romeo@a.example query',
        ]);
      }
    });

    it('shows a blocked subscriber an offline account (XEP-0191 §3.3)', async () => {
      bench = new RoutingBench({
        extensions: [{ filter: { inbound: ({ from }) => (from?.local === 'romeo' ? 'refuse' : undefined) } }],
      });
      const romeo = await bench.online('romeo@a.example/orchard');
      await bench.online('juliet@a.example/balcony', item('romeo@a.example', { subscription: 'both' }));
      romeo.taken();
      await probe('juliet@a.example');
      expect(briefly(romeo)).to.deep.equal(['presence unavailable juliet@a.example']);
    });

    it('does not show a resource itself', async () => {
      const balcony = await bench.online('juliet@a.example/balcony');
      await bench.online('juliet@a.example/chamber');
      balcony.taken();
      await probe('juliet@a.example', 'juliet@a.example/balcony');
      expect(briefly(balcony)).to.deep.equal(['presence juliet@a.example/chamber']);
    });
  });

  it('is not sent to blocked contacts, and they are not probed (XEP-0191 §3.3)', async () => {
    const blocksRomeo = {
      outbound: ({ to }: { to?: unknown }) => (`${to}`.startsWith('romeo') ? ({} as never) : undefined),
    };
    bench = new RoutingBench({ extensions: [{ filter: blocksRomeo }] });
    const romeo = await bench.online('romeo@a.example/orchard', item('juliet@a.example', { subscription: 'both' }));
    const balcony = await bench.connect('juliet@a.example/balcony', item('romeo@a.example', { subscription: 'both' }));
    await bench.says(balcony, '<presence/>');
    await bench.settled();
    bench.ends(balcony);
    expect(briefly(romeo)).to.deep.equal([]);
    expect(briefly(balcony)).to.deep.equal(['presence juliet@a.example/balcony']);
  });

  it('does not arrive from a sender whom the recipient refuses (XEP-0191 §3.3)', async () => {
    bench = new RoutingBench({
      extensions: [{ filter: { inbound: ({ from }) => (from?.local === 'romeo' ? 'refuse' : undefined) } }],
    });
    const balcony = await bench.online('juliet@a.example/balcony');
    const romeo = await bench.online('romeo@a.example/orchard');
    for (const type of ['', "type='unavailable'", "type='subscribe'", "type='error'"]) {
      for (const to of ['juliet@a.example', 'juliet@a.example/balcony'])
        await bench.says(romeo, `<presence ${type} to='${to}'/>`);
    }
    expect(briefly(balcony)).to.deep.equal([]);
    expect(balcony.account.roster.size).to.equal(0);
  });

  it('to no account ends in silence (RFC 6121 §8.5.1)', async () => {
    const balcony = await bench.online('juliet@a.example/balcony');
    for (const type of [
      '',
      "type='unavailable'",
      "type='subscribed'",
      "type='unsubscribe'",
      "type='unsubscribed'",
      "type='error'",
    ]) {
      await bench.routing.route(
        readStanza(`<presence ${type} from='juliet@a.example/balcony' to='nobody@a.example'/>`),
      );
      await bench.routing.route(readStanza(`<presence ${type} from='juliet@a.example/balcony' to='a.example'/>`));
    }
    expect(briefly(balcony)).to.deep.equal([]);
    expect(bench.log.alarms).to.deep.equal([]);
  });

  it('refuses to broadcast presence above a size', async () => {
    const juliet = await bench.online('juliet@a.example/balcony');
    const large = `<status>${'x'.repeat(32 * 1024)}</status>`;
    await bench.says(juliet, `<presence>${large}</presence>`);
    expect(briefly(juliet)).to.deep.equal(['presence error juliet@a.example policy-violation']);
    expect(juliet.presence.available?.payload.bytes.length).to.equal(0);
    await bench.says(juliet, `<presence to='juliet@a.example'>${large}</presence>`);
    expect(briefly(juliet)).to.deep.equal(['presence juliet@a.example/balcony status']);
  });

  describe('introduces a new session at the pace of its client', () => {
    const friends = Array.from({ length: 5 }, (_, index) => `friend${index}@a.example`);
    let stored: string[];

    async function arrives() {
      stored = [];
      bench = new RoutingBench({ extensions: [{ readyForMessages: ({ jid }) => void stored.push(jid.toString()) }] });
      for (const friend of friends) {
        await bench.online(`${friend}/home`, item('juliet@a.example', { subscription: 'from' }));
      }
      const items = friends.map((friend) => item(friend, { subscription: 'to' }));
      const juliet = await bench.connect('juliet@a.example/balcony', ...items);
      juliet.crowded = true;
      stored = [];
      await bench.says(juliet, '<presence/>');
      return juliet;
    }

    it('all of it, one by one, and stored messages behind it', async () => {
      const juliet = await arrives();
      expect(juliet.sent).to.have.length.below(6);
      expect(stored).to.deep.equal([]);
      await bench.settled();
      expect(juliet.taken()).to.have.length(6);
      expect(juliet.flushes).to.equal(5);
      expect(stored).to.deep.equal(['juliet@a.example/balcony']);
    });

    it('until it becomes unavailable', async () => {
      const juliet = await arrives();
      await bench.says(juliet, '<presence type="unavailable"/>');
      juliet.taken();
      await bench.settled();
      expect(juliet.taken()).to.deep.equal([]);
      expect(stored).to.deep.equal([]);
    });
  });
});
