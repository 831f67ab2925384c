import { expect } from 'chai';
import { isListed } from '../../src/extensions/blocking/block-list.ts';
import { blocking } from '../../src/extensions/blocking/blocking.ts';
import { ping } from '../../src/extensions/ping.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Account } from '../../src/routing/account.ts';
import type { BlocklistStore } from '../../src/storage/blocklists.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench, errorText } from './bench.ts';

describe('Blocking Command (XEP-0191)', () => {
  let broken = false;
  const bench = new Bench(({ storage, sessions, presenceHooks, hooks, route }) => {
    const { blocklists } = storage;
    const unless = (run: () => Promise<void>) =>
      broken ? Promise.reject(new StorageError('io', 'for the test')) : run();
    const store: BlocklistStore = {
      add: (owner, jids) => unless(() => blocklists.add(owner, jids)),
      remove: (owner, jids) => unless(() => blocklists.remove(owner, jids)),
      clear: (owner) => unless(() => blocklists.clear(owner)),
    };
    return { extensions: [blocking({ store, sessions, presenceHooks, hooks, route }), ping()] };
  });

  beforeEach(() => {
    broken = false;
  });

  const items = (...jids: string[]) => jids.map((jid) => `<item jid='${jid}'/>`).join('');
  const command = (session: StubSession, name: string, content: string) =>
    bench.asks(session, `<iq type='set' id='b'><${name} xmlns='urn:xmpp:blocking'>${content}</${name}></iq>`);
  const block = (session: StubSession, ...jids: string[]) => command(session, 'block', items(...jids));
  const unblock = (session: StubSession, ...jids: string[]) => command(session, 'unblock', items(...jids));
  const list = (session: StubSession) =>
    bench.asks(session, `<iq type='get' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>`);
  const done = ({ jid, account }: StubSession) => `<iq from="${account.key}" to="${jid}" id="b" type="result"/>`;
  const push = ({ jid, account }: StubSession, content: string) =>
    `<iq from="${account.key}" to="${jid}" id="*" type="set">${content}</iq>`;
  const stored = async ({ account }: StubSession) => (await bench.storage.accounts.load(account.key))?.blocked;

  it('shows an empty list at first', async () => {
    const juliet = await bench.user();
    expect((await list(juliet))[0]).to.contain('<blocklist xmlns="urn:xmpp:blocking"/></iq>');
  });

  it('blocks durably, then says so, to every session that asked for the list', async () => {
    const juliet = await bench.user();
    const other = await bench.session(juliet.account, 'other');
    const silent = await bench.session(juliet.account, 'silent');
    await list(juliet);
    await list(other);
    other.taken();
    const told = '<block xmlns="urn:xmpp:blocking"><item jid="a@b.c"/><item jid="d.e"/></block>';
    expect(await block(juliet, 'A@B.c', 'd.e')).to.deep.equal([push(juliet, told), done(juliet)]);
    expect(other.taken()).to.deep.equal([push(other, told)]);
    expect(silent.taken()).to.deep.equal([]);
    expect(await stored(juliet)).to.have.members(['a@b.c', 'd.e']);
    expect((await list(silent))[0]).to.contain('<item jid="a@b.c"/><item jid="d.e"/></blocklist>');
  });

  it('unblocks some', async () => {
    const juliet = await bench.user();
    await list(juliet);
    await block(juliet, 'a@b.c', 'd.e');
    const told = '<unblock xmlns="urn:xmpp:blocking"><item jid="d.e"/></unblock>';
    expect(await unblock(juliet, 'd.e')).to.deep.equal([push(juliet, told), done(juliet)]);
    expect(await stored(juliet)).to.deep.equal(['a@b.c']);
  });

  it('unblocks all (XEP-0191 §3.5)', async () => {
    const juliet = await bench.user();
    await list(juliet);
    await block(juliet, 'a@b.c', 'd.e');
    expect(await unblock(juliet)).to.deep.equal([push(juliet, '<unblock xmlns="urn:xmpp:blocking"/>'), done(juliet)]);
    expect(await stored(juliet)).to.deep.equal([]);
    expect(juliet.account.blocked.size).to.equal(0);
  });

  it('is a command of the own account only', async () => {
    const juliet = await bench.user();
    const romeo = await bench.account('romeo');
    const iq = `<iq type='set' id='b' to='${romeo.key}'><block xmlns='urn:xmpp:blocking'>${items('a@b')}</block></iq>`;
    expect((await bench.asks(juliet, iq))[0]).to.match(errorText('cancel', 'service-unavailable'));
    expect(romeo.blocked.size).to.equal(0);
  });

  const wrong: readonly (readonly [string, string, string, string])[] = [
    ['nobody', 'block', '', 'bad-request'],
    ['something else', 'block', '<thing/>', 'bad-request'],
    ['an item of another namespace', 'block', `<item xmlns='urn:x' jid='a@b'/>`, 'bad-request'],
    ['an item without JID', 'block', '<item/>', 'bad-request'],
    ['an empty JID', 'block', `<item jid=''/>`, 'jid-malformed'],
    ['a malformed JID', 'block', `<item jid='a@b'/><item jid='a@@b'/>`, 'jid-malformed'],
    ['a malformed JID to unblock', 'unblock', `<item jid='@'/>`, 'jid-malformed'],
    ['something else to unblock', 'unblock', '<thing/>', 'bad-request'],
  ];
  for (const [what, name, content, condition] of wrong) {
    it(`refuses ${what}, and changes nothing`, async () => {
      const juliet = await bench.user();
      await block(juliet, 'x@y');
      expect((await command(juliet, name, content))[0]).to.match(errorText('modify', condition));
      expect([...juliet.account.blocked]).to.deep.equal(['x@y']);
    });
  }

  it('has an end', async () => {
    const juliet = await bench.user();
    await block(juliet, ...Array.from({ length: 2000 }, (_, n) => `c${n}@b`));
    expect((await block(juliet, 'one@more'))[0]).to.match(errorText('wait', 'resource-constraint'));
    expect((await block(juliet, 'c0@b'))[0]).to.equal(done(juliet));
  });

  it('forgets what could not be stored', async () => {
    const juliet = await bench.user();
    await block(juliet, 'a@b');
    broken = true;
    await block(juliet, 'c@d');
    expect([...juliet.account.blocked]).to.deep.equal(['a@b']);
    await unblock(juliet, 'a@b');
    await unblock(juliet);
    expect([...juliet.account.blocked]).to.deep.equal(['a@b']);
    expect(bench.log.alarms.splice(0)).to.have.length(3);
  });

  describe('matching (XEP-0191 §6)', () => {
    const own = new Account(Jid.parse('me@home.org'), { roster: [], rosterVersion: 0, blocked: [] });
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['u@d.org/r', 'u@d.org/r', true],
      ['u@d.org/r', 'u@d.org/s', false],
      ['u@d.org/r', 'u@d.org', false],
      ['u@d.org', 'u@d.org/r', true],
      ['u@d.org', 'u@d.org', true],
      ['u@d.org', 'v@d.org', false],
      ['u@d.org', 'd.org', false],
      ['d.org/r', 'd.org/r', true],
      ['d.org/r', 'd.org', false],
      ['d.org/r', 'u@d.org/r', false],
      ['d.org', 'd.org', true],
      ['d.org', 'd.org/r', true],
      ['d.org', 'u@d.org/r', true],
      ['d.org', 'u@sub.d.org', false],
      ['me@home.org', 'me@home.org/other', false],
      ['home.org', 'me@home.org/other', false],
      ['home.org', 'home.org', false],
      ['home.org', 'you@home.org/r', true],
    ];
    for (const [item, jid, expected] of cases) {
      it(`${item} ${expected ? 'blocks' : 'does not block'} ${jid}`, () => {
        expect(isListed(new Set([item]), Jid.parse(jid), own)).to.equal(expected);
      });
    }
  });

  describe('in force', () => {
    it('lets nothing out (XEP-0191 §3.3)', async () => {
      const juliet = await bench.user();
      const romeo = await bench.user('romeo', '<presence/>');
      await block(juliet, romeo.account.key);
      const error =
        '<error type="cancel"><not-acceptable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>' +
        '<blocked xmlns="urn:xmpp:blocking:errors"/></error>';
      for (const stanza of [
        `<message id='1' to='${romeo.account.key}'><body>hi</body></message>`,
        `<presence id='1' to='${romeo.jid}'/>`,
        `<presence id='1' to='${romeo.account.key}' type='subscribe'/>`,
        `<iq id='1' type='get' to='${romeo.jid}'><ping xmlns='urn:xmpp:ping'/></iq>`,
      ]) {
        const [answer] = await bench.asks(juliet, stanza);
        expect(answer, stanza).to.contain(error).and.to.contain('type="error"');
      }
      expect(romeo.taken()).to.deep.equal([]);
    });

    it('lets nothing in, and answers as if there were nobody (XEP-0191 §3.3)', async () => {
      const juliet = await bench.user('juliet', '<presence/>');
      const romeo = await bench.user('romeo', '<presence/>');
      await bench.befriend(juliet.account, romeo.account);
      await block(juliet, romeo.account.key);
      juliet.taken();
      const unavailable = /<error type="cancel"><service-unavailable /;
      for (const [stanza, expected] of [
        [`<message id='1' to='${juliet.account.key}'><body>hi</body></message>`, unavailable],
        [`<message id='1' type='headline' to='${juliet.account.key}'><body>hi</body></message>`, undefined],
        [`<message id='1' to='${juliet.jid}' type='error'/>`, undefined],
        [`<iq id='1' type='get' to='${juliet.jid}'><ping xmlns='urn:xmpp:ping'/></iq>`, unavailable],
        [`<iq id='1' type='get' to='${juliet.account.key}'><ping xmlns='urn:xmpp:ping'/></iq>`, unavailable],
        [`<iq id='1' type='result' to='${juliet.jid}'/>`, undefined],
        [`<presence id='1' to='${juliet.jid}'/>`, undefined],
        [`<presence id='1' to='${juliet.account.key}' type='subscribe'/>`, undefined],
      ] as const) {
        const [answer] = await bench.asks(romeo, stanza);
        if (expected) expect(answer, stanza).to.match(expected);
        else expect(answer, stanza).to.equal(undefined);
      }
      expect(juliet.taken()).to.deep.equal([]);
    });

    it("does not stand between a user's own resources", async () => {
      const juliet = await bench.user();
      const other = await bench.session(juliet.account, 'other');
      await block(juliet, juliet.account.key, 'localhost');
      await bench.does(juliet, `<message to='${other.jid}'><body>hi</body></message>`);
      expect(other.taken()).to.have.length(1);
      expect(
        await bench.asks(juliet, `<iq id='p' type='get' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`),
      ).to.deep.equal([`<iq from="localhost" to="${juliet.jid}" id="p" type="result"/>`]);
    });

    it('does not let others tell a client what is blocked', async () => {
      const juliet = await bench.user('juliet', '<presence/>');
      const romeo = await bench.user('romeo');
      const forged = `<iq type='set' id='f' to='${juliet.jid}'><block xmlns='urn:xmpp:blocking'>${items('a@b')}</block></iq>`;
      expect((await bench.asks(romeo, forged))[0]).to.match(errorText('cancel', 'service-unavailable'));
      expect(juliet.taken()).to.deep.equal([]);
    });
  });

  describe('and presence', () => {
    const unavailable = ({ jid }: StubSession, to: string) => `<presence from="${jid}" to="${to}" type="unavailable"/>`;

    for (const what of ['bare JID', 'domain', 'full JID'] as const) {
      it(`goes to a subscriber blocked by ${what}, unavailable, and comes back`, async () => {
        const juliet = await bench.user('juliet', '<presence><show>away</show></presence>');
        const romeo = await bench.user('romeo', '<presence/>');
        await bench.befriend(juliet.account, romeo.account);
        const { jid, account } = romeo;
        const item = { 'bare JID': account.key, domain: 'localhost', 'full JID': jid.toString() }[what];
        const to = what === 'full JID' ? item : account.key;
        await block(juliet, item);
        expect(romeo.taken()).to.deep.equal([unavailable(juliet, to)]);
        await unblock(juliet, item);
        expect(romeo.taken()).to.deep.equal([`<presence from="${juliet.jid}" to="${to}"><show>away</show></presence>`]);
      });
    }

    it('does not go to those who may not see it', async () => {
      const juliet = await bench.user('juliet', '<presence/>');
      const romeo = await bench.user('romeo', '<presence/>');
      await block(juliet, romeo.account.key);
      await unblock(juliet, romeo.account.key);
      expect(romeo.taken()).to.deep.equal([]);
    });

    it('ends for those it was directed to, once', async () => {
      const juliet = await bench.user();
      const romeo = await bench.user('romeo', '<presence/>');
      await bench.does(juliet, `<presence to='${romeo.jid}'/>`);
      romeo.taken();
      await block(juliet, romeo.account.key);
      expect(romeo.taken()).to.deep.equal([unavailable(juliet, romeo.jid.toString())]);
      bench.ends(juliet);
      expect(romeo.taken()).to.deep.equal([]);
    });

    it('stays away while another item still blocks', async () => {
      const juliet = await bench.user('juliet', '<presence/>');
      const romeo = await bench.user('romeo', '<presence/>');
      await bench.befriend(juliet.account, romeo.account);
      await block(juliet, romeo.account.key);
      romeo.taken();
      await block(juliet, 'localhost');
      await unblock(juliet, romeo.account.key);
      expect(romeo.taken()).to.deep.equal([]);
      await unblock(juliet);
      expect(romeo.taken()).to.have.length(1);
    });

    it('of sessions that are not available is not shown', async () => {
      const juliet = await bench.user();
      const romeo = await bench.user('romeo', '<presence/>');
      await bench.befriend(juliet.account, romeo.account);
      await block(juliet, romeo.account.key);
      await unblock(juliet, romeo.account.key);
      expect(romeo.taken()).to.deep.equal([]);
    });
  });

  it('makes a resource forget that it has written to those who are blocked', async () => {
    const [juliet, romeo, nurse] = [await bench.user(), await bench.user('romeo'), await bench.user('nurse')];
    const asks = async (one: StubSession) => {
      const answers = await bench.asks(one, `<iq type='get' id='a' to='${juliet.jid}'><x xmlns='urn:x'/></iq>`);
      return answers.length === 0 && juliet.taken().length === 1 ? 'delivered' : answers.join();
    };
    for (const to of [romeo, nurse]) await bench.does(juliet, `<message to='${to.jid}'><body>hello</body></message>`);
    expect([await asks(romeo), await asks(nurse)]).to.deep.equal(['delivered', 'delivered']);
    await block(juliet, romeo.account.key);
    await unblock(juliet, romeo.account.key);
    expect(await asks(romeo)).to.match(errorText('cancel', 'service-unavailable'));
    expect(await asks(nurse)).to.equal('delivered');
  });
});
