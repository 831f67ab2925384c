import { expect } from 'chai';
import { roster } from '../../src/extensions/roster/roster.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench, errorText } from './bench.ts';

const options = { maxItems: 5, maxGroupsPerItem: 3, maxNameBytes: 64 };

describe('the roster (RFC 6121 §2)', () => {
  const bench = new Bench((core) => ({
    extensions: [roster({ ...core, store: core.storage.rosters, options })],
  }));

  const get = (session: StubSession, ver = '') =>
    bench.asks(session, `<iq type='get' id='g'><query xmlns='jabber:iq:roster' ${ver}/></iq>`);
  const set = (session: StubSession, item: string) =>
    bench.asks(session, `<iq type='set' id='s'><query xmlns='jabber:iq:roster'>${item}</query></iq>`);
  const push = ({ jid, account }: StubSession, ver: number, item: string) =>
    `<iq from="${account.key}" to="${jid}" id="*" type="set"><query xmlns="jabber:iq:roster" ver="${ver}">${item}</query></iq>`;
  const result = ({ jid, account }: StubSession, id: string, query = '') =>
    `<iq from="${account.key}" to="${jid}" id="${id}" type="result"${query ? `>${query}</iq>` : '/>'}`;

  it('is offered with versions and pre-approval to those who are logged in (RFC 6121 §2.6.1, §3.4.1)', () => {
    const [extension] = [roster({ ...bench.routing, store: bench.storage.rosters, options })];
    expect(extension?.streamFeatures?.('unauthenticated')).to.deep.equal([]);
    expect(extension?.streamFeatures?.('authenticated').join('')).to.equal(
      '<ver xmlns="urn:xmpp:features:rosterver"/><sub xmlns="urn:xmpp:features:pre-approval"/>',
    );
  });

  it('is empty at first, and carries its version', async () => {
    const juliet = await bench.user();
    const { version } = juliet.account.roster;
    expect(await get(juliet)).to.deep.equal([
      result(juliet, 'g', `<query xmlns="jabber:iq:roster" ver="${version}"/>`),
    ]);
  });

  it('takes items, with name and groups, and shows them to every session that asked', async () => {
    const juliet = await bench.user();
    const other = await bench.session(juliet.account, 'other');
    const silent = await bench.session(juliet.account, 'silent');
    await get(juliet);
    await get(other);
    other.taken();
    const got = await set(
      juliet,
      `<item jid='Romeo@Example.NET' name='R &amp; J'><group>a</group><group>b</group></item>`,
    );
    const { version } = juliet.account.roster;
    const item =
      '<item jid="romeo@example.net" name="R &amp; J" subscription="none"><group>a</group><group>b</group></item>';
    expect(got).to.deep.equal([push(juliet, version, item), result(juliet, 's')]);
    expect(other.taken()).to.deep.equal([push(other, version, item)]);
    expect(silent.taken()).to.deep.equal([]);
    expect(await get(silent)).to.deep.equal([
      result(silent, 'g', `<query xmlns="jabber:iq:roster" ver="${version}">${item}</query>`),
    ]);
  });

  it('does not take more of names and groups than can be sent at once, but less of them', async () => {
    const juliet = await bench.user();
    const name = 'n'.repeat(60);
    const groups = (count: number) =>
      Array.from({ length: count }, (_, index) => `<group>${index}${'g'.repeat(50)}</group>`).join('');
    const item = (contact: number, count: number) => `<item jid='c${contact}@b' name='${name}'>${groups(count)}</item>`;
    // 5 × 512 characters, of which each of these takes 258.
    for (let contact = 0; contact < 5; contact++)
      expect((await set(juliet, item(contact, 3))).join()).to.contain('result');
    expect(juliet.account.roster.wordLength).to.equal(5 * (60 + 3 * 66));
    const roomy = { ...juliet.account.roster.getOrBlank('c0@b'), groups: ['x'.repeat(1453)] };
    juliet.account.roster.set(roomy);
    const refused = await set(juliet, `<item jid='c1@b' name='${name}!'>${groups(3)}</item>`);
    expect(refused.join()).to.match(errorText('wait', 'resource-constraint'));
    expect((await set(juliet, item(1, 2))).join()).to.contain('result');
    expect((await set(juliet, `<item jid='c0@b'/>`)).join()).to.contain('result');
    expect((await set(juliet, `<item jid='c0@b' subscription='remove'/>`)).join()).to.contain('result');
    expect(juliet.account.roster.wordLength).to.equal(4 * (60 + 3 * 66) - 66);
  });

  it('keeps items durably', async () => {
    const juliet = await bench.user();
    await set(juliet, `<item jid='romeo@example.net' name='R'><group>a</group></item>`);
    const { roster: stored } = (await bench.storage.accounts.load(juliet.account.key)) ?? { roster: [] };
    expect(stored).to.have.length(1);
    expect(stored[0]).to.include({ contact: 'romeo@example.net', name: 'R', inRoster: true });
  });

  it('lets a client change name and groups, and nothing else (RFC 6121 §2.1.2)', async () => {
    const juliet = await bench.user();
    const romeo = await bench.account('romeo');
    await bench.befriend(juliet.account, romeo);
    await set(juliet, `<item jid='${romeo.key}' name='R' subscription='none' ask='subscribe' approved='true'/>`);
    expect(juliet.account.roster.get(romeo.key)).to.include({
      name: 'R',
      subscription: 'both',
      ask: false,
      approved: false,
    });
  });

  it('cannot be given a subscription', async () => {
    const juliet = await bench.user();
    await set(juliet, `<item jid='romeo@example.net' subscription='both'/>`);
    expect(juliet.account.roster.get('romeo@example.net')?.subscription).to.equal('none');
  });

  const long = 'x'.repeat(65);
  const badSets: readonly (readonly [string, string, string, string])[] = [
    ['no item', '', 'modify', 'bad-request'],
    ['two items', `<item jid='a@b'/><item jid='c@d'/>`, 'modify', 'bad-request'],
    ['something else', `<thing jid='a@b'/>`, 'modify', 'bad-request'],
    ['an item of another namespace', `<item xmlns='urn:x' jid='a@b'/>`, 'modify', 'bad-request'],
    ['an item without JID', `<item name='a'/>`, 'modify', 'bad-request'],
    ['an empty JID', `<item jid=''/>`, 'modify', 'jid-malformed'],
    ['a malformed JID', `<item jid='a@b@c'/>`, 'modify', 'jid-malformed'],
    ['a long name', `<item jid='a@b' name='${long}'/>`, 'modify', 'not-acceptable'],
    ['an empty group', `<item jid='a@b'><group/></item>`, 'modify', 'not-acceptable'],
    ['a long group', `<item jid='a@b'><group>${long}</group></item>`, 'modify', 'not-acceptable'],
    ['a group twice', `<item jid='a@b'><group>g</group><group>g</group></item>`, 'modify', 'bad-request'],
    [
      'too many groups',
      `<item jid='a@b'><group>1</group><group>2</group><group>3</group><group>4</group></item>`,
      'modify',
      'not-acceptable',
    ],
    ['the removal of nobody', `<item jid='a@b' subscription='remove'/>`, 'cancel', 'item-not-found'],
  ];
  for (const [what, item, type, condition] of badSets) {
    it(`refuses ${what} (RFC 6121 §2.3.3)`, async () => {
      const juliet = await bench.user();
      const [answer, ...more] = await set(juliet, item);
      expect(answer).to.match(errorText(type, condition));
      expect(more).to.deep.equal([]);
      expect([...juliet.account.roster.all()]).to.deep.equal([]);
    });
  }

  it('does not take the own account as a contact', async () => {
    const juliet = await bench.user();
    const [answer] = await set(juliet, `<item jid='${juliet.account.key}'/>`);
    expect(answer).to.match(errorText('cancel', 'not-allowed'));
  });

  it('has an end', async () => {
    const juliet = await bench.user();
    for (let n = 1; n <= options.maxItems; n++) await set(juliet, `<item jid='c${n}@example.net'/>`);
    const [answer] = await set(juliet, `<item jid='one-more@example.net'/>`);
    expect(answer).to.match(errorText('wait', 'resource-constraint'));
    const [renamed] = await set(juliet, `<item jid='c1@example.net' name='still'/>`);
    expect(renamed).to.equal(result(juliet, 's'));
  });

  it('removes an item and ends its subscriptions (RFC 6121 §2.5)', async () => {
    const juliet = await bench.user('juliet', '<presence/>');
    const romeo = await bench.user('romeo', '<presence/>');
    await bench.befriend(juliet.account, romeo.account);
    await get(juliet);
    romeo.taken();
    const got = await set(juliet, `<item jid='${romeo.account.key}' subscription='remove'/>`);
    const removed = `<item jid="${romeo.account.key}" subscription="remove"/>`;
    expect(got).to.include(push(juliet, juliet.account.roster.version, removed));
    expect(got.at(-1)).to.equal(result(juliet, 's'));
    expect(juliet.account.roster.get(romeo.account.key)).to.equal(undefined);
    expect(romeo.account.roster.get(juliet.account.key)?.subscription).to.equal('none');
    expect(romeo.taken()).to.include(`<presence from="${juliet.jid}" to="${romeo.account.key}" type="unavailable"/>`);
  });

  it("is nobody else's, whether there is one or not (RFC 6121 §2.3.3)", async () => {
    const juliet = await bench.user();
    const answers = [];
    for (const to of [(await bench.account('paris')).key, 'paris0@localhost']) {
      for (const type of ['get', 'set']) {
        const query = `<query xmlns='jabber:iq:roster'><item jid='a@b'/></query>`;
        const [answer] = await bench.asks(juliet, `<iq type='${type}' id='x' to='${to}'>${query}</iq>`);
        expect(answer).to.match(errorText('auth', 'forbidden'));
        answers.push(answer?.replace(/paris\d+/, ''));
      }
    }
    expect(new Set(answers).size).to.equal(1);
  });

  it('is told to clients by their server alone (RFC 6121 §2.1.6)', async () => {
    const juliet = await bench.user('juliet', '<presence/>');
    const romeo = await bench.user('romeo', '<presence/>');
    await bench.befriend(juliet.account, romeo.account);
    juliet.taken();
    const forged = `<iq type='set' id='f' to='${juliet.jid}'><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>`;
    const [answer] = await bench.asks(romeo, forged);
    expect(answer).to.match(errorText('cancel', 'service-unavailable'));
    expect(juliet.taken()).to.deep.equal([]);
  });

  it('ignores what clients answer to pushes', async () => {
    const juliet = await bench.user();
    expect(await bench.asks(juliet, `<iq type='result' id='push'/>`)).to.deep.equal([]);
    expect(await bench.asks(juliet, `<iq type='error' id='push'><error type='cancel'/></iq>`)).to.deep.equal([]);
  });

  describe('versions (RFC 6121 §2.6)', () => {
    it('sends nothing to whoever knows it all', async () => {
      const juliet = await bench.user();
      await set(juliet, `<item jid='romeo@example.net'/>`);
      expect(await get(juliet, `ver='${juliet.account.roster.version}'`)).to.deep.equal([result(juliet, 'g')]);
      expect([...juliet.interests]).to.deep.equal(['roster']);
    });

    it('sends the whole roster where there would be more pushes than a client can take at once', async () => {
      const juliet = await bench.user();
      await set(juliet, `<item jid='stays@b'/>`);
      const since = juliet.account.roster.version;
      for (let contact = 0; contact < 101; contact++) {
        await set(juliet, `<item jid='c${contact}@b'/>`);
        await set(juliet, `<item jid='c${contact}@b' subscription='remove'/>`);
      }
      const { version } = juliet.account.roster;
      juliet.taken();
      const item = '<item jid="stays@b" subscription="none"/>';
      expect(await get(juliet, `ver='${since}'`)).to.deep.equal([
        result(juliet, 'g', `<query xmlns="jabber:iq:roster" ver="${version}">${item}</query>`),
      ]);
    });

    it('pushes what has changed since, in the order of versions, after an empty result', async () => {
      const juliet = await bench.user();
      await set(juliet, `<item jid='a@example.net'/>`);
      await set(juliet, `<item jid='b@example.net'/>`);
      const since = juliet.account.roster.version;
      await set(juliet, `<item jid='c@example.net'/>`);
      const first = juliet.account.roster.version;
      await set(juliet, `<item jid='a@example.net' subscription='remove'/>`);
      await set(juliet, `<item jid='b@example.net' name='B'/>`);
      expect(await get(juliet, `ver='${since}'`)).to.deep.equal([
        result(juliet, 'g'),
        push(juliet, since, '<item jid="a@example.net" subscription="remove"/>'),
        push(juliet, first, '<item jid="c@example.net" subscription="none"/>'),
        push(juliet, juliet.account.roster.version, '<item jid="b@example.net" name="B" subscription="none"/>'),
      ]);
    });

    it('never ends with an older version than it has, removals included', async () => {
      const juliet = await bench.user();
      await set(juliet, `<item jid='a@example.net'/>`);
      const since = juliet.account.roster.version;
      await set(juliet, `<item jid='a@example.net' subscription='remove'/>`);
      expect(await get(juliet, `ver='${since}'`)).to.deep.equal([
        result(juliet, 'g'),
        push(juliet, juliet.account.roster.version, '<item jid="a@example.net" subscription="remove"/>'),
      ]);
    });

    for (const [what, ver] of [
      ['an empty version', ''],
      ['somebody else’s version', 'zz-9'],
      ['a version of the future', '99999999'],
      ['a version beyond numbers', '9'.repeat(400)],
      ['a negative version', '-1'],
    ] as const) {
      it(`sends all of it to whoever has ${what}`, async () => {
        const juliet = await bench.user();
        await set(juliet, `<item jid='a@example.net'/>`);
        const { version } = juliet.account.roster;
        expect(await get(juliet, `ver='${ver}'`)).to.deep.equal([
          result(
            juliet,
            'g',
            `<query xmlns="jabber:iq:roster" ver="${version}"><item jid="a@example.net" subscription="none"/></query>`,
          ),
        ]);
      });
    }

    it('misses nothing that changes while it looks', async () => {
      const juliet = await bench.user();
      const other = await bench.session(juliet.account, 'other');
      await set(juliet, `<item jid='a@example.net'/>`);
      const since = juliet.account.roster.version;
      await set(juliet, `<item jid='b@example.net'/>`);
      const asking = bench.does(other, `<iq type='get' id='g'><query xmlns='jabber:iq:roster' ver='${since}'/></iq>`);
      const changing = set(juliet, `<item jid='c@example.net'/>`);
      await Promise.all([asking, changing]);
      const told = other.taken().join('');
      for (const jid of ['b@example.net', 'c@example.net']) expect(told).to.contain(`jid="${jid}"`);
      expect(told).to.contain(`ver="${juliet.account.roster.version}"`);
    });
  });
});
