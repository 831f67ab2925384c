import { expect } from 'chai';
import type { Stanza } from '../../../src/protocol/stanza.ts';
import type { Account } from '../../../src/routing/account.ts';
import type { StubSession } from '../../support/stub-session.ts';
import {
  answersDisco,
  capsWith,
  comesOnline,
  discoRequestTo,
  form,
  get,
  notified,
  ownerSet,
  pepBench,
  presenceWanting,
  publish,
  set,
  settled,
} from './pep-bench.ts';

describe('the nodes of an account (XEP-0163), for its contacts', () => {
  let calls: number[] = [];
  const sentAway: Stanza[] = [];
  const bench = pepBench({
    remotes: { send: (stanza) => void sentAway.push(stanza) },
    store: (store) => ({
      ...store,
      lastItems: (nodes) => {
        calls.push(nodes.length);
        return store.lastItems(nodes);
      },
    }),
  });
  beforeEach(() => {
    calls = [];
    sentAway.length = 0;
  });

  /** Two contacts, the first with a session that publishes. */
  async function contacts(): Promise<{ juliet: StubSession; romeo: StubSession }> {
    const [owner, contact] = [await bench.account(), await bench.account('romeo')];
    await bench.befriend(owner, contact);
    return { juliet: await bench.session(owner, 'balcony'), romeo: await bench.session(contact, 'orchard') };
  }

  /** Makes a contact on another server known to an account. */
  async function remoteContact(account: Account, jid: string): Promise<void> {
    const item = account.roster.getOrBlank(jid);
    await bench.routing.rosters.save(account, { ...item, subscription: 'both', inRoster: true });
  }

  /** What another server has been sent: requests and notifications, each in a few words. */
  function departed(): string[] {
    return sentAway.splice(0).map(({ kind, to, payload }) => {
      const what = /<item id="([^"]*)"/.exec(payload.bytes.toString())?.[1] ?? payload.children[0]?.name;
      return `${kind} ${to} ${what}`;
    });
  }

  describe('while they are online', () => {
    it('are told what they want to know, and nothing else (XEP-0060 §9.2)', async () => {
      const { juliet, romeo } = await contacts();
      await comesOnline(bench, romeo, 'urn:tune', 'urn:mood');
      for (const node of ['urn:tune', 'urn:weather', 'urn:mood']) await bench.does(juliet, publish(node, 'a'));
      await answersDisco(bench, romeo, ['urn:tune', 'urn:mood']);
      expect(notified(romeo)).to.deep.equal(['headline juliet urn:tune item a', 'headline juliet urn:mood item a']);
      await bench.does(juliet, publish('urn:tune', 'b'));
      expect(notified(romeo)).to.deep.equal(['headline juliet urn:tune item b']);
      expect(notified(juliet)).to.deep.equal([]);
    });

    it('learn which resource has published, if they see it (XEP-0163 §4.3.1)', async () => {
      const { juliet, romeo } = await contacts();
      const eve = await bench.user('eve', '<presence/>');
      await comesOnline(bench, romeo, 'n');
      const open = { access_model: 'open' };
      await bench.does(juliet, publish('n', 'hidden', open));
      await answersDisco(bench, romeo, ['n']);
      await bench.does(eve, set(`<subscribe node='n' jid='${eve.account.key}'/>`, juliet.account.key));
      await bench.does(juliet, '<presence/>');
      await bench.does(juliet, publish('n', 'seen', open));
      await bench.does(juliet, set(`<retract node='n' notify='1'><item id='seen'/></retract>`));
      const told = (session: StubSession) =>
        session.sent
          .filter(({ kind, payload }) => kind === 'message' && !payload.has('delay', 'urn:xmpp:delay'))
          .map(({ payload }) => /type="replyto" jid="([^"]*)"/.exec(payload.bytes.toString())?.[1]);
      await settled();
      expect(told(romeo)).to.deep.equal([undefined, String(juliet.jid), String(juliet.jid)]);
      expect(told(eve)).to.deep.equal([undefined, undefined]);
    });

    it('are told after their client has changed what it can, while it was being asked', async () => {
      const { juliet, romeo } = await contacts();
      const never = { send_last_published_item: 'never' };
      await bench.does(romeo, presenceWanting('other', 'slow'));
      for (const id of ['a', 'b']) await bench.does(juliet, publish('n', id, never));
      await settled();
      const asked = discoRequestTo(romeo);
      romeo.sent.splice(0);
      await bench.does(romeo, presenceWanting('n'));
      // The client does not know the old capabilities any more.
      await bench.does(
        romeo,
        `<iq type='error' id='${asked?.id}' to='${asked?.from}'><error type='cancel'>
         <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
      );
      await answersDisco(bench, romeo, ['n']);
      await bench.does(juliet, publish('n', 'c', never));
      await settled();
      expect(notified(romeo)).to.deep.equal(['a', 'b', 'c'].map((id) => `headline juliet n item ${id}`));
    });

    it('who have subscribed are told though their client turns out to want nothing', async () => {
      const { juliet, romeo } = await contacts();
      await bench.does(juliet, publish('n', 'a', { send_last_published_item: 'never' }));
      await bench.does(romeo, set(`<subscribe node='n' jid='${romeo.account.key}'/>`, juliet.account.key));
      await comesOnline(bench, romeo, 'something', 'else');
      await bench.does(juliet, publish('n', 'b'));
      await answersDisco(bench, romeo, ['something', 'else']);
      await bench.does(juliet, publish('n', 'c'));
      await settled();
      expect(notified(romeo)).to.deep.equal(['headline juliet n item b', 'headline juliet n item c']);
    });

    it('are told nothing without capabilities, or with no more than directed presence', async () => {
      const { juliet, romeo } = await contacts();
      await bench.does(romeo, '<presence/>');
      const eve = await bench.user('eve');
      await bench.does(eve, presenceWanting('n').replace('<presence', `<presence to='${juliet.account.key}'`));
      await bench.does(juliet, publish('n', 'a', { access_model: 'open' }));
      await settled();
      expect([discoRequestTo(romeo), discoRequestTo(eve)]).to.deep.equal([undefined, undefined]);
      expect([notified(romeo), notified(eve)]).to.deep.equal([[], []]);
    });

    it('are told nothing of a closed node, whatever their clients want (XEP-0060 §12.2)', async () => {
      const { juliet, romeo } = await contacts();
      const nodes = ['urn:xmpp:bookmarks:1', 'closed', 'group'];
      await comesOnline(bench, romeo, ...nodes);
      await bench.does(juliet, publish('urn:xmpp:bookmarks:1', 'a'));
      await bench.does(juliet, publish('closed', 'a', { access_model: 'whitelist' }));
      await bench.does(juliet, publish('group', 'a', { access_model: 'roster', roster_groups_allowed: 'Friends' }));
      await settled();
      expect(discoRequestTo(romeo)).to.equal(undefined);
      expect(notified(romeo)).to.deep.equal([]);
      const item = juliet.account.roster.getOrBlank(romeo.account.key);
      await bench.routing.rosters.save(juliet.account, { ...item, groups: ['Friends'] });
      await bench.does(juliet, publish('group', 'b'));
      await answersDisco(bench, romeo, nodes);
      expect(notified(romeo)).to.deep.equal(['headline juliet group item b']);
    });

    it('are told nothing once either has blocked the other (XEP-0163 §4.3.3)', async () => {
      for (const blocker of ['juliet', 'romeo'] as const) {
        const { juliet, romeo } = await contacts();
        await comesOnline(bench, romeo, 'n');
        await bench.does(juliet, publish('n', 'a'));
        await answersDisco(bench, romeo, ['n']);
        expect(notified(romeo)).to.deep.equal(['headline juliet n item a']);
        const [from, jid] = blocker === 'juliet' ? [juliet, romeo.account.key] : [romeo, juliet.account.key];
        await bench.does(
          from,
          `<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='${jid}'/></block></iq>`,
        );
        await bench.does(juliet, publish('n', 'b'));
        await bench.ends(romeo);
        const again = await bench.session(romeo.account, 'again');
        await comesOnline(bench, again, 'n');
        expect([notified(romeo), notified(again)], blocker).to.deep.equal([[], []]);
      }
    });

    it('are asked once for each hash, and after a restart nobody is', async () => {
      const { juliet, romeo } = await contacts();
      await bench.does(juliet, publish('n', 'a'));
      const nodes = ['n', 'once'];
      await comesOnline(bench, romeo, ...nodes);
      expect(notified(romeo)).to.deep.equal(['headline juliet n item a late']);
      const second = await bench.session(romeo.account, 'second');
      await bench.does(second, presenceWanting(...nodes));
      await settled();
      expect(discoRequestTo(second)).to.equal(undefined);
      expect(notified(second)).to.deep.equal(['headline juliet n item a late']);
      bench.rebuild();
      const account = await bench.routing.accounts.get(romeo.account.jid);
      const third = account && (await bench.session(account, 'third'));
      if (!third) throw new Error('the account is not there');
      await bench.does(third, presenceWanting(...nodes));
      await settled();
      expect(discoRequestTo(third)).to.equal(undefined);
      expect(notified(third)).to.deep.equal(['headline juliet n item a late']);
    });

    it('believe an answer that the hash does not prove for the resource that gave it alone (XEP-0115 §5.4)', async () => {
      const { juliet, romeo } = await contacts();
      await bench.does(juliet, publish('n', 'a'));
      const presence = `<presence>${capsWith('AAAAAAAAAAAAAAAAAAAAAAAAAAA=')}</presence>`;
      const liar = await bench.session(romeo.account, 'liar');
      await bench.does(liar, presence);
      await answersDisco(bench, liar, ['n']);
      expect(notified(liar)).to.deep.equal(['headline juliet n item a late']);
      await bench.does(romeo, presence);
      await settled();
      expect(discoRequestTo(romeo)).not.to.equal(undefined);
      await answersDisco(bench, romeo, []);
      await bench.does(juliet, publish('n', 'b'));
      expect([notified(liar), notified(romeo)]).to.deep.equal([['headline juliet n item b'], []]);
    });

    it('wait for each other, and ask the next one if the first does not answer', async () => {
      const { juliet, romeo } = await contacts();
      await bench.does(juliet, publish('n', 'a'));
      const nodes = ['n', 'slow'];
      const second = await bench.session(romeo.account, 'second');
      await bench.does(romeo, presenceWanting(...nodes));
      await settled();
      await bench.does(second, presenceWanting(...nodes));
      await settled();
      expect(discoRequestTo(romeo)).not.to.equal(undefined);
      expect(discoRequestTo(second)).to.equal(undefined);
      bench.clock.advance(30_000);
      await answersDisco(bench, second, nodes);
      expect([notified(romeo), notified(second)]).to.deep.equal([[], ['headline juliet n item a late']]);
    });
  });

  describe('that come online', () => {
    it('get the last item of each node they want, once (XEP-0163 §4.3.4)', async () => {
      const { juliet, romeo } = await contacts();
      for (const id of ['a', 'b']) await bench.does(juliet, publish('n', id, { max_items: '5' }));
      await bench.does(juliet, publish('silent', 'a', { send_last_published_item: 'never' }));
      await bench.does(juliet, publish('other', 'a'));
      await comesOnline(bench, romeo, 'n', 'silent');
      expect(notified(romeo)).to.deep.equal(['headline juliet n item b late']);
      await bench.does(romeo, presenceWanting('n', 'silent').replace('<presence>', '<presence><show>away</show>'));
      await settled();
      expect(notified(romeo)).to.deep.equal([]);
    });

    it('get those that they have come to want, and not the others again', async () => {
      const { juliet, romeo } = await contacts();
      for (const node of ['n', 'm']) await bench.does(juliet, publish(node, 'a'));
      await comesOnline(bench, romeo, 'n');
      notified(romeo);
      await comesOnline(bench, romeo, 'n', 'm');
      expect(notified(romeo)).to.deep.equal(['headline juliet m item a late']);
    });

    it('get them when a later presence is the first with capabilities', async () => {
      const { juliet, romeo } = await contacts();
      await bench.does(juliet, publish('n', 'a'));
      await bench.does(romeo, '<presence/>');
      await comesOnline(bench, romeo, 'n');
      expect(notified(romeo)).to.deep.equal(['headline juliet n item a late']);
    });

    it('get those of their own account', async () => {
      const account = await bench.account();
      const [home, phone] = [await bench.session(account, 'home'), await bench.session(account, 'phone')];
      await bench.does(home, publish('n', 'a'));
      await comesOnline(bench, phone, 'n');
      expect(notified(phone)).to.deep.equal(['headline juliet n item a late']);
      expect(notified(home)).to.deep.equal([]);
    });

    it('get them when they are let in', async () => {
      const [juliet, romeo] = [await bench.user(), await bench.user('romeo')];
      await bench.does(juliet, publish('n', 'a'));
      await comesOnline(bench, romeo, 'n');
      expect(notified(romeo)).to.deep.equal([]);
      await bench.does(romeo, `<presence to='${juliet.account.key}' type='subscribe'/>`);
      await bench.does(juliet, `<presence to='${romeo.account.key}' type='subscribed'/>`);
      await answersDisco(bench, romeo, ['n']);
      expect(notified(romeo)).to.deep.equal(['headline juliet n item a late']);
    });

    it('cost one call of the store for 64 of them, though 500 contacts have five nodes each', async () => {
      const romeo = await bench.user('romeo');
      const nodes = ['a', 'b', 'c', 'd', 'e'];
      const contact = async () => {
        const owner = await bench.account('capulet');
        await bench.befriend(owner, romeo.account);
        const session = await bench.session(owner, 'home');
        for (const node of nodes) await bench.does(session, publish(node, 'x'));
        bench.ends(session);
      };
      await Promise.all(Array.from({ length: 500 }, contact));
      calls = [];
      await comesOnline(bench, romeo, ...nodes);
      const messages = () => romeo.sent.filter(({ kind }) => kind === 'message').length;
      while (messages() < 2500) await settled();
      expect(calls).to.deep.equal([...Array.from({ length: 39 }, () => 64), 4]);
      expect(notified(romeo)).to.have.length(2500);
    });

    it('are read no further when the client has gone', async () => {
      const { juliet, romeo } = await contacts();
      const nodes = Array.from({ length: 65 }, (_, number) => `n${number}`);
      for (const node of nodes) await bench.does(juliet, publish(node, 'a'));
      await bench.does(romeo, presenceWanting(...nodes));
      let flush = () => {};
      romeo.crowded = true;
      romeo.flushed = () => new Promise((resolve) => (flush = resolve));
      calls = [];
      await answersDisco(bench, romeo, nodes);
      await bench.does(romeo, `<presence type='unavailable'/>`);
      romeo.crowded = false;
      flush();
      await settled();
      expect(calls).to.deep.equal([64]);
    });

    it('get them at the pace of their client, and never one that is not the last any more', async () => {
      const { juliet, romeo } = await contacts();
      const nodes = ['first', 'second'];
      for (const node of nodes) await bench.does(juliet, publish(node, 'old'));
      await bench.does(romeo, presenceWanting(...nodes));
      let flush = () => {};
      romeo.crowded = true;
      romeo.flushed = () => new Promise((resolve) => (flush = resolve));
      await answersDisco(bench, romeo, nodes);
      await bench.does(juliet, publish('second', 'new'));
      flush();
      await settled();
      expect(notified(romeo)).to.deep.equal(['headline juliet first item old late', 'headline juliet second item new']);
    });
  });

  describe('on other servers', () => {
    const romeo = 'romeo@montague.example/orchard';
    const arrives = (juliet: StubSession, presence: string) =>
      bench.arrives(presence.replace('<presence', `<presence from='${romeo}' to='${juliet.account.key}'`));
    const answers = async (juliet: StubSession, ...wanted: string[]) => {
      await settled();
      const asked = sentAway.find(({ kind }) => kind === 'iq');
      const features = wanted.map((node) => `<feature var='${node}+notify'/>`).join('');
      const query = `<identity category='client' type='pc'/>${features}`;
      await bench.arrives(
        `<iq type='result' id='${asked?.id}' from='${romeo}' to='${juliet.account.key}'>
         <query xmlns='http://jabber.org/protocol/disco#info'>${query}</query></iq>`,
      );
      await settled();
    };

    it('are told what they want while the owner is online or not, until they go', async () => {
      const juliet = await bench.user();
      await remoteContact(juliet.account, 'romeo@montague.example');
      await bench.does(juliet, publish('n', 'a'));
      bench.ends(juliet);
      await arrives(juliet, presenceWanting('n', 'far'));
      await answers(juliet, 'far', 'n');
      expect(departed()).to.deep.equal([`iq ${romeo} query`, `message ${romeo} a`]);
      const again = await bench.session(juliet.account, 'again');
      await bench.does(again, publish('n', 'b'));
      expect(departed()).to.deep.equal([`message ${romeo} b`]);
      await arrives(juliet, presenceWanting('n', 'far').replace('<presence', '<presence '));
      await settled();
      expect(departed()).to.deep.equal([]);
      await arrives(juliet, `<presence type='unavailable'/>`);
      await bench.does(again, publish('n', 'c'));
      expect(departed()).to.deep.equal([]);
    });

    it('are remembered by an account that makes its first node later', async () => {
      const juliet = await bench.user();
      await remoteContact(juliet.account, 'romeo@montague.example');
      await arrives(juliet, presenceWanting('n', 'later'));
      await settled();
      expect(departed()).to.deep.equal([]);
      await bench.does(juliet, publish('n', 'a'));
      await answers(juliet, 'later', 'n');
      expect(departed()).to.deep.equal([`iq ${romeo} query`, `message ${romeo} a`]);
    });

    it('are told nothing when they are no contacts any more', async () => {
      const juliet = await bench.user();
      await remoteContact(juliet.account, 'romeo@montague.example');
      await bench.does(juliet, publish('n', 'a'));
      await arrives(juliet, presenceWanting('n', 'far'));
      await settled();
      departed();
      for (const type of ['unsubscribed', 'unsubscribe'])
        await bench.does(juliet, `<presence to='romeo@montague.example' type='${type}'/>`);
      departed();
      await bench.does(juliet, publish('n', 'b'));
      expect(departed()).to.deep.equal([]);
    });
  });

  describe('that subscribe to a node (XEP-0060 §6.1)', () => {
    const subscribe = (jid: string) => `<subscribe node='n' jid='${jid}'/>`;

    it('as strangers to an open one, get the last item and each event', async () => {
      const [juliet, eve] = [await bench.user(), await bench.user('eve')];
      await bench.does(eve, '<presence/>');
      await bench.does(juliet, publish('n', 'a', { access_model: 'open' }));
      const [answer] = await bench.asks(eve, set(subscribe(eve.account.key), juliet.account.key));
      expect(answer).to.contain(`<subscription node="n" jid="${eve.account.key}" subscription="subscribed"/>`);
      await settled();
      expect(notified(eve)).to.deep.equal(['headline juliet n item a late']);
      await bench.does(juliet, publish('n', 'b'));
      expect(notified(eve)).to.deep.equal(['headline juliet n item b']);
      const [ended] = await bench.asks(
        eve,
        set(`<unsubscribe node='n' jid='${eve.account.key}'/>`, juliet.account.key),
      );
      expect(ended).to.contain('type="result"');
      await bench.does(juliet, publish('n', 'c'));
      expect(notified(eve)).to.deep.equal([]);
      const [again] = await bench.asks(
        eve,
        set(`<unsubscribe node='n' jid='${eve.account.key}'/>`, juliet.account.key),
      );
      expect(again).to.contain('<not-subscribed ');
    });

    it('lose the subscription when the node is closed to them (XEP-0163 §7.1)', async () => {
      const [juliet, eve] = [await bench.user(), await bench.user('eve', '<presence/>')];
      await bench.does(juliet, publish('n', 'a', { access_model: 'open' }));
      await bench.does(eve, set(subscribe(eve.account.key), juliet.account.key));
      await settled();
      notified(eve);
      const configure = (access_model: string) =>
        ownerSet(`<configure node='n'>${form('node_config', { access_model })}</configure>`);
      await bench.does(juliet, configure('presence'));
      await bench.does(juliet, publish('n', 'b'));
      await settled();
      await bench.does(juliet, configure('open'));
      await bench.does(juliet, publish('n', 'c'));
      expect(notified(eve)).to.deep.equal([]);
    });

    it('cannot subscribe somebody else', async () => {
      const { juliet, romeo } = await contacts();
      await bench.does(juliet, publish('n', 'a'));
      const [answer] = await bench.asks(romeo, set(subscribe('eve@localhost'), juliet.account.key));
      expect(answer).to.contain('<bad-request ').and.to.contain('<invalid-jid ');
    });

    it('and are gone are subscribers no longer', async () => {
      const juliet = await bench.user();
      await bench.does(juliet, publish('n', 'a', { access_model: 'open' }));
      await bench.comes(
        set(subscribe('eve@far.example'), juliet.account.key).replace('<iq', `<iq from='eve@far.example/x'`),
      );
      await settled();
      departed();
      await bench.does(juliet, publish('n', 'b'));
      expect(departed()).to.deep.equal(['message eve@far.example b']);
      await bench.comes(
        `<message type='error' from='eve@far.example' to='${juliet.account.key}'>
         <error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
      );
      await settled();
      await bench.does(juliet, publish('n', 'c'));
      expect(departed()).to.deep.equal([]);
    });
  });

  it("are nobody's to change but the owner's", async () => {
    const { juliet, romeo } = await contacts();
    await bench.does(juliet, publish('n', 'a', { access_model: 'open' }));
    for (const request of [publish('n', 'b'), set(`<create node='m'/>`), ownerSet(`<delete node='n'/>`)]) {
      const [answer] = await bench.asks(romeo, request.replace('<iq', `<iq to='${juliet.account.key}'`));
      expect(answer).to.contain('<forbidden ');
    }
    expect((await bench.asks(romeo, get(`<items node='n'/>`, juliet.account.key)))[0]).to.contain('<item id="a">');
  });
});
