import { expect } from 'chai';
import type { Extension, PresenceHook } from '../../src/routing/extension.ts';
import { xml } from '../../src/xml/element.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { item } from './memory-stores.ts';
import { brief, briefly, RoutingBench } from './routing-bench.ts';

/** Writes down every call, except `dress`. */
class Diary implements Omit<Required<PresenceHook>, 'accepts' | 'dress'> {
  readonly lines: string[] = [];

  announced: Required<PresenceHook>['announced'] = ({ jid }, presence, initial) => {
    this.lines.push(`${jid.resource} announced ${initial ? 'first' : 'again'}: ${brief(presence)}`);
  };
  withdrawn: Required<PresenceHook>['withdrawn'] = ({ jid }, presence) => {
    this.lines.push(`${jid.resource} withdrawn: ${brief(presence)}`);
  };
  directedEnded: Required<PresenceHook>['directedEnded'] = ({ jid }, addresses) => {
    this.lines.push(`${jid.resource} ended for ${addresses.join()}`);
  };
  arrived: Required<PresenceHook>['arrived'] = (presence, from, account) => {
    this.lines.push(
      `arrived at ${account.key}, to ${presence.to}: ${brief(presence)}${from === presence.from ? '' : '?'}`,
    );
  };
  subscriptionChanged: Required<PresenceHook>['subscriptionChanged'] = ({ key }, contact, before, after) => {
    const facts = (state: object) => Object.entries(state).flatMap(([name, value]) => (value === true ? name : []));
    this.lines.push(`${key} and ${contact}: ${facts(before).join('+')} > ${facts(after).join('+')}`);
  };

  /** What has been written since the last call. */
  taken(): string[] {
    return this.lines.splice(0);
  }
}

/** Adds a hash like that of an avatar, unless the client has its own. */
const hashed: Partial<Extension> = {
  name: 'hashed',
  presence: {
    dress: (presence, { key }) =>
      presence.payload.has('x', 'urn:hash')
        ? presence
        : presence.with({ payload: presence.payload.with(xml('x', { xmlns: 'urn:hash' }, key)) }),
  },
};

describe('The presence hooks of an extension', () => {
  let diary: Diary;
  let bench: RoutingBench;

  beforeEach(() => {
    diary = new Diary();
    bench = new RoutingBench({ extensions: [{ presence: diary }] });
  });

  describe('announced, withdrawn', () => {
    it('follow the broadcasts of a session until it ends', async () => {
      const balcony = await bench.connect('juliet@a.example/balcony');
      for (const stanza of [
        '<presence/>',
        '<presence><show>away</show></presence>',
        "<presence type='unavailable'><status>bye</status></presence>",
        "<presence type='unavailable'/>",
        '<presence/>',
      ])
        await bench.says(balcony, stanza);
      bench.ends(balcony);
      expect(diary.taken()).to.deep.equal([
        'balcony announced first: presence juliet@a.example/balcony',
        'balcony announced again: presence juliet@a.example/balcony show',
        'balcony withdrawn: presence unavailable juliet@a.example/balcony status',
        'balcony announced first: presence juliet@a.example/balcony',
        'balcony withdrawn: presence unavailable juliet@a.example/balcony',
      ]);
    });

    it('come after the broadcast to subscribers', async () => {
      const friend = await bench.online('friend@a.example/home');
      const told: string[] = [];
      diary.announced = diary.withdrawn = () => void told.push(...briefly(friend));
      const balcony = await bench.connect(
        'juliet@a.example/balcony',
        item('friend@a.example', { subscription: 'from' }),
      );
      await bench.says(balcony, '<presence/>');
      bench.ends(balcony);
      expect(told).to.deep.equal([
        'presence juliet@a.example/balcony',
        'presence unavailable juliet@a.example/balcony',
      ]);
    });

    it('do not come for presence that is refused', async () => {
      const balcony = await bench.connect('juliet@a.example/balcony');
      await bench.says(balcony, '<presence><priority>high</priority></presence>');
      bench.ends(balcony);
      expect(diary.taken()).to.deep.equal([]);
    });
  });

  it('directedEnded: directed presence is taken back, or ends with the session', async () => {
    const balcony = await bench.connect('juliet@a.example/balcony');
    for (const stanza of [
      "<presence to='room@b.example/juliet'/>",
      "<presence to='nurse@b.example'/>",
      "<presence to='hall@b.example/juliet'/>",
      "<presence to='nurse@b.example' type='unavailable'/>",
      "<presence to='nurse@b.example' type='unavailable'/>",
    ])
      await bench.says(balcony, stanza);
    bench.ends(balcony);
    expect(diary.taken()).to.deep.equal([
      'balcony ended for nurse@b.example',
      'balcony ended for room@b.example/juliet,hall@b.example/juliet',
    ]);
  });

  describe('arrived', () => {
    const arrives = (stanza: string) => bench.routing.route(readStanza(stanza));

    it('sees presence for an account that has no session', async () => {
      await bench.account('juliet@a.example');
      await arrives("<presence from='romeo@c.example/x' to='juliet@a.example'><c xmlns='urn:x'/></presence>");
      await arrives("<presence from='romeo@c.example/x' to='juliet@a.example/gone' type='unavailable'/>");
      expect(diary.taken()).to.deep.equal([
        'arrived at juliet@a.example, to juliet@a.example: presence romeo@c.example/x c',
        'arrived at juliet@a.example, to juliet@a.example/gone: presence unavailable romeo@c.example/x',
      ]);
    });

    it('sees nothing else, and nothing that the account refuses', async () => {
      const refuse: Partial<Extension> = {
        filter: { inbound: ({ from }) => (from?.local === 'tybalt' ? 'refuse' : undefined) },
      };
      bench = new RoutingBench({ extensions: [refuse, { presence: diary }] });
      await bench.account('juliet@a.example');
      await arrives("<presence from='tybalt@c.example/x' to='juliet@a.example'/>");
      for (const type of ['error', 'probe', 'unsubscribed'])
        await arrives(`<presence from='romeo@c.example/x' to='juliet@a.example' type='${type}'/>`);
      await arrives("<presence from='romeo@c.example/x' to='nobody@a.example'/>");
      expect(diary.taken()).to.deep.equal([]);
    });
  });

  describe('subscriptionChanged', () => {
    const changes = () => diary.taken().filter((line) => line.includes('>'));

    it('tells the hooks of both accounts each step of a subscription (RFC 6121 §3)', async () => {
      const juliet = await bench.online('juliet@a.example/balcony');
      const romeo = await bench.online('romeo@a.example/orchard');
      await bench.says(romeo, "<presence to='juliet@a.example' type='subscribe'/>");
      expect(changes()).to.deep.equal([
        'juliet@a.example and romeo@a.example:  > pendingIn',
        'romeo@a.example and juliet@a.example:  > ask',
      ]);
      await bench.says(romeo, "<presence to='juliet@a.example' type='subscribe'/>");
      expect(changes()).to.deep.equal([]);
      await bench.says(juliet, "<presence to='romeo@a.example' type='subscribed'/>");
      expect(changes()).to.deep.equal([
        'romeo@a.example and juliet@a.example: ask > to',
        'juliet@a.example and romeo@a.example: pendingIn > from',
      ]);
      await bench.routing.subscriptions.cancelAll(juliet.account);
      expect(changes()).to.deep.equal([
        'romeo@a.example and juliet@a.example: to > ',
        'juliet@a.example and romeo@a.example: from > ',
      ]);
    });

    it('comes when presence has been shown, and after a failed write not at all', async () => {
      const juliet = await bench.online('juliet@a.example/balcony');
      const romeo = await bench.online('romeo@a.example/orchard');
      const seen: string[] = [];
      diary.subscriptionChanged = ({ key }) => {
        if (key === 'juliet@a.example') seen.push(...briefly(romeo));
      };
      await bench.says(romeo, "<presence to='juliet@a.example' type='subscribe'/>");
      seen.splice(0);
      await bench.says(juliet, "<presence to='romeo@a.example' type='subscribed'/>");
      expect(seen).to.include('presence juliet@a.example/balcony');
      seen.splice(0);
      bench.rosters.before = () => Promise.reject(new Error('the disk is gone'));
      await bench.says(juliet, "<presence to='romeo@a.example' type='unsubscribed'/>");
      expect(seen).to.deep.equal([]);
    });
  });

  describe('dress', () => {
    beforeEach(() => {
      bench = new RoutingBench({ extensions: [hashed, { presence: diary }] });
    });

    it('adds to broadcast and directed presence, and to the answers to later probes', async () => {
      const friend = await bench.online('friend@a.example/home');
      const stranger = await bench.online('stranger@a.example/home');
      const balcony = await bench.connect(
        'juliet@a.example/balcony',
        item('friend@a.example', { subscription: 'from' }),
      );
      await bench.says(balcony, '<presence/>');
      await bench.says(balcony, "<presence to='stranger@a.example'/>");
      const hash = `<x xmlns="urn:hash">juliet@a.example</x>`;
      for (const session of [balcony, friend, stranger])
        expect(session.taken().join(), `${session.jid}`).to.include(hash);
      await bench.routing.route(
        readStanza("<presence type='probe' from='friend@a.example/home' to='juliet@a.example'/>"),
      );
      expect(friend.taken().join()).to.include(hash);
      expect(diary.taken()).to.include('balcony announced first: presence juliet@a.example/balcony x');
    });

    it('leaves alone unavailable presence', async () => {
      const friend = await bench.online('friend@a.example/home');
      const balcony = await bench.online(
        'juliet@a.example/balcony',
        item('friend@a.example', { subscription: 'from' }),
      );
      friend.taken();
      await bench.says(balcony, "<presence to='friend@a.example' type='unavailable'/>");
      await bench.says(balcony, "<presence type='unavailable'/>");
      expect(briefly(friend)).to.deep.equal(Array(2).fill('presence unavailable juliet@a.example/balcony'));
    });

    it('is asked again when presence is announced again, which is no initial presence', async () => {
      let hash = 'one';
      const changing: Partial<Extension> = {
        presence: {
          dress: (presence) =>
            presence.with({
              payload: presence.payload
                .without((child) => child.ns === 'urn:hash')
                .with(xml('x', { xmlns: 'urn:hash' }, hash)),
            }),
        },
      };
      bench = new RoutingBench({ extensions: [changing, { presence: diary }] });
      const friend = await bench.online('friend@a.example/home', item('juliet@a.example', { subscription: 'both' }));
      const balcony = await bench.online(
        'juliet@a.example/balcony',
        item('friend@a.example', { subscription: 'both' }),
      );
      const silent = await bench.connect('juliet@a.example/silent');
      for (const session of [friend, balcony]) session.taken();
      diary.taken();
      hash = 'two';
      for (const session of [balcony, silent]) bench.routing.announceAgain(session);
      await bench.settled();
      const content = '<x xmlns="urn:hash">two</x></presence>';
      expect(friend.taken()).to.deep.equal([
        `<presence from="juliet@a.example/balcony" to="friend@a.example">${content}`,
      ]);
      expect(balcony.taken()).to.deep.equal([
        `<presence from="juliet@a.example/balcony" to="juliet@a.example/balcony">${content}`,
      ]);
      expect(diary.taken().filter((line) => line.includes('announced'))).to.deep.equal([]);
    });
  });

  it('may fail without harm to presence, or to other extensions', async () => {
    const fail = () => {
      throw new Error('a fault of the extension');
    };
    const faulty: PresenceHook = { announced: fail, withdrawn: fail, arrived: fail, dress: fail };
    bench = new RoutingBench({ extensions: [{ name: 'faulty', presence: faulty }, hashed, { presence: diary }] });
    const friend = await bench.online('friend@a.example/home');
    const balcony = await bench.connect('juliet@a.example/balcony', item('friend@a.example', { subscription: 'from' }));
    await bench.says(balcony, '<presence/>');
    bench.ends(balcony);
    expect(briefly(friend)).to.deep.equal([
      'presence juliet@a.example/balcony x',
      'presence unavailable juliet@a.example/balcony',
    ]);
    expect(diary.taken()).to.include('balcony withdrawn: presence unavailable juliet@a.example/balcony');
    expect(bench.log.alarms.length).to.be.greaterThan(0);
  });
});
