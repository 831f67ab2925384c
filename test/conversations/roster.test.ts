import { expect } from 'chai';
import { befriend, Stage } from '../support/conversation.ts';
import { findTree, type Tree } from '../support/xml-tree.ts';
import { push, rosterGet, rosterOf, rosterSet } from './roster-patterns.ts';

const done = '<iq type="result"/>';
const refusal = (type: string, condition: string) => {
  return `<iq type="error"><error type="${type}"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>`;
};
const versionOf = (answer: Tree) => findTree(answer, 'query')?.attributes.get('ver');

describe('The roster (RFC 6121 §2)', () => {
  const roster = { maxItems: 4, maxGroupsPerItem: 3, maxNameBytes: 64 };
  const stage = new Stage({ settings: { limits: { disabled: true }, roster } });

  /** An account with a client that does nothing by itself. */
  async function bound() {
    const account = await stage.account('juliet');
    return { account, client: await account.connects() };
  }

  it('is empty at first, and has a version (RFC 6121 §2.2, §2.6.1)', async () => {
    const { client } = await bound();
    expect(client.features?.children.find(({ name }) => name === 'ver')?.ns).to.equal('urn:xmpp:features:rosterver');
    const answer = await client.gets(rosterGet, rosterOf());
    expect(versionOf(answer)).to.match(/.+/);
  });

  it('takes an item, tells every interested resource, and keeps it (RFC 6121 §2.3)', async () => {
    const { account, client } = await bound();
    const other = await account.arrives({ presence: false, roster: true });
    const item = '<item jid="nurse@localhost" name="Nurse"><group>Servants</group><group>Friends</group></item>';
    await client.gets(rosterSet(item), done);
    await other.receives(
      push('nurse@localhost', 'name="Nurse" subscription="none"', '<group>Servants</group><group>Friends</group>'),
    );
    await client.receivesNothing();
    await client.gets(
      rosterGet,
      rosterOf(item.replace('name=', 'subscription="none" ask="{none}" approved="{none}" name=')),
    );
  });

  it('tells the resource that made the change, too (RFC 6121 §2.3.2)', async () => {
    const { client } = await bound();
    await client.asks(rosterGet);
    client.sends('<iq type="set" id="r1"><query xmlns="jabber:iq:roster"><item jid="nurse@localhost"/></query></iq>');
    await client.receivesInAnyOrder('<iq type="result" id="r1"/>', push('nurse@localhost', 'subscription="none"'));
  });

  it('pushes come from the own account, to the full JID (RFC 6121 §2.1.6)', async () => {
    const { client } = await bound();
    await client.asks(rosterGet);
    client.sends('<iq type="set" id="r1"><query xmlns="jabber:iq:roster"><item jid="nurse@localhost"/></query></iq>');
    const [first, second] = [
      await client.receives('<iq type="*">...</iq>'),
      await client.receives('<iq type="*">...</iq>'),
    ];
    const pushed = first.attributes.get('type') === 'set' ? first : second;
    expect([undefined, client.bare]).to.include(pushed.attributes.get('from'));
    expect(pushed.attributes.get('to')).to.equal(client.jid);
  });

  it('changes name and groups, and nothing else (RFC 6121 §2.4)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    await romeo.gets(rosterSet(`<item jid="${juliet.bare}" name="Juliet" subscription="none" ask="subscribe"/>`), done);
    await romeo.gets(
      rosterGet,
      rosterOf(`<item jid="${juliet.bare}" name="Juliet" subscription="both" ask="{none}"/>`),
    );
    romeo.sends(rosterSet(`<item jid="${juliet.bare}"><group>Lovers</group></item>`).replace('<iq', '<iq id="r1"'));
    await romeo.receivesInAnyOrder(
      '<iq type="result" id="r1"/>',
      push(juliet.bare, 'name="{none}" subscription="both"', '<group>Lovers</group>'),
    );
    await romeo.gets(
      rosterGet,
      rosterOf(`<item jid="${juliet.bare}" name="{none}" subscription="both"><group>Lovers</group></item>`),
    );
    await juliet.receivesNothing();
  });

  for (const state of ['to', 'from', 'both']) {
    it(`a client cannot give itself a subscription '${state}' (RFC 6121 §2.1.2.5)`, async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      await romeo.gets(rosterSet(`<item jid="${juliet.bare}" subscription="${state}" approved="true"/>`), done);
      await romeo.gets(rosterGet, rosterOf(`<item jid="${juliet.bare}" subscription="none" approved="{none}"/>`));
      juliet.sends('<presence><show>away</show></presence>');
      await juliet.drains();
      await romeo.receivesNothing();
    });
  }

  it('forgets an item (RFC 6121 §2.5)', async () => {
    const { client } = await bound();
    await client.gets(rosterSet('<item jid="nurse@localhost"/>'), done);
    await client.gets(rosterSet('<item jid="nurse@localhost" subscription="remove"/>'), done);
    await client.gets(rosterGet, rosterOf());
  });

  it('writes the address of a contact in one way (RFC 7622 §3)', async () => {
    const { client } = await bound();
    await client.gets(rosterSet('<item jid="NURSE@LocalHost"/>'), done);
    await client.gets(rosterSet('<item jid="nurse@localhost" name="Nurse"/>'), done);
    await client.gets(rosterGet, rosterOf('<item jid="nurse@localhost" name="Nurse" subscription="none"/>'));
  });

  describe('refuses (RFC 6121 §2.3.3)', () => {
    const groups = (count: number) => Array.from({ length: count }, (_, n) => `<group>${n}</group>`).join('');
    const wrong: readonly (readonly [string, string, string])[] = [
      ['no item', '', refusal('modify', 'bad-request')],
      ['two items', '<item jid="a@localhost"/><item jid="b@localhost"/>', refusal('modify', 'bad-request')],
      ['an item without an address', '<item name="Nurse"/>', refusal('modify', 'bad-request')],
      ['an address that is none', '<item jid="@localhost"/>', refusal('modify', 'jid-malformed')],
      [
        'the same group twice',
        '<item jid="a@localhost"><group>x</group><group>x</group></item>',
        refusal('modify', 'bad-request'),
      ],
      ['a group without a name', '<item jid="a@localhost"><group/></item>', refusal('modify', 'not-acceptable')],
      [
        'a name that is too long',
        `<item jid="a@localhost" name="${'x'.repeat(65)}"/>`,
        refusal('modify', 'not-acceptable'),
      ],
      [
        'a group name that is too long',
        `<item jid="a@localhost"><group>${'ö'.repeat(33)}</group></item>`,
        refusal('modify', 'not-acceptable'),
      ],
      ['too many groups', `<item jid="a@localhost">${groups(4)}</item>`, refusal('modify', 'not-acceptable')],
      [
        'to forget what is not there (RFC 6121 §2.5.3)',
        '<item jid="a@localhost" subscription="remove"/>',
        refusal('cancel', 'item-not-found'),
      ],
      ['oneself', '<item jid="SELF"/>', refusal('cancel', 'not-allowed')],
    ];
    for (const [name, item, pattern] of wrong) {
      it(name, async () => {
        const { client } = await bound();
        await client.gets(rosterSet(item.replace('SELF', client.bare)), pattern);
        await client.gets(rosterGet, rosterOf());
      });
    }

    it('more items than there may be (RFC 6120 §13.12)', async () => {
      const { client } = await bound();
      for (const name of ['a', 'b', 'c', 'd']) await client.gets(rosterSet(`<item jid="${name}@localhost"/>`), done);
      await client.gets(rosterSet('<item jid="e@localhost"/>'), refusal('wait', 'resource-constraint'));
      await client.gets(rosterSet('<item jid="d@localhost" name="D"/>'), done);
    });

    it("another account's roster, to read or to write (RFC 6121 §2.1.5)", async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], { roster: true });
      const to = `to="${juliet.bare}"`;
      await romeo.gets(rosterGet.replace('<iq', `<iq ${to}`), refusal('*', 'forbidden'));
      await romeo.gets(rosterSet('<item jid="eve@localhost"/>').replace('<iq', `<iq ${to}`), refusal('*', 'forbidden'));
      await juliet.receivesNothing();
    });

    it('a push that another client makes up (RFC 6121 §2.1.6)', async () => {
      const { eve, juliet } = await stage.enter(['eve', 'juliet'], { roster: true });
      const forged = rosterSet('<item jid="eve@localhost" subscription="both"/>').replace(
        '<iq',
        `<iq to="${juliet.jid}"`,
      );
      await eve.gets(forged, refusal('cancel', 'service-unavailable'));
      await juliet.receivesNothing();
    });
  });

  describe('by versions (RFC 6121 §2.6)', () => {
    const since = (version: string | undefined) => {
      return `<iq type="get"><query xmlns="jabber:iq:roster" ver="${version}"/></iq>`;
    };

    it('says nothing to a client that has it already', async () => {
      const { client } = await bound();
      await client.gets(rosterSet('<item jid="nurse@localhost"/>'), done);
      const version = versionOf(await client.asks(rosterGet));
      await client.gets(since(version), done);
      await client.receivesNothing();
    });

    it('tells what a client has missed: additions, changes and removals (RFC 6121 §2.6.3)', async () => {
      const { account, client } = await bound();
      for (const name of ['nurse', 'tybalt', 'paris']) await client.asks(rosterSet(`<item jid="${name}@localhost"/>`));
      const version = versionOf(await client.asks(rosterGet));
      await client.drains();
      const other = await account.connects();
      await other.asks(rosterSet('<item jid="romeo@localhost"/>'));
      await other.asks(rosterSet('<item jid="nurse@localhost" name="Nurse"/>'));
      await other.asks(rosterSet('<item jid="tybalt@localhost" subscription="remove"/>'));

      const late = await account.connects();
      await late.gets(since(version), done);
      await late.receivesInAnyOrder(
        push('romeo@localhost', 'subscription="none"'),
        push('nurse@localhost', 'subscription="none" name="Nurse"'),
        push('tybalt@localhost', 'subscription="remove"'),
      );
      await late.receivesNothing();
    });

    it('the version of the last push is the version of the roster (RFC 6121 §2.6.3)', async () => {
      const { account, client } = await bound();
      const version = versionOf(await client.asks(rosterGet));
      client.sends(rosterSet('<item jid="nurse@localhost"/>').replace('<iq', '<iq id="r1"'));
      const news = await client.drains();
      const pushed = news.find((tree) => tree.attributes.get('type') === 'set');
      const next = findTree(pushed ?? expect.fail('no push'), 'query')?.attributes.get('ver');
      expect(next).to.not.equal(version);
      const late = await account.connects();
      await late.gets(since(next), done);
      await late.receivesNothing();
    });

    for (const version of ['', 'no-such-version', '999999999', '-1', '__proto__']) {
      it(`gives all of it to a client with version '${version}' (RFC 6121 §2.6.2)`, async () => {
        const { client } = await bound();
        await client.gets(rosterSet('<item jid="nurse@localhost"/>'), done);
        await client.gets(since(version), rosterOf('<item jid="nurse@localhost" subscription="none"/>'));
      });
    }
  });

  it('outlives the server (RFC 6121 §2.1)', async () => {
    const { account, client } = await bound();
    await client.gets(rosterSet('<item jid="nurse@localhost" name="Nurse"><group>Servants</group></item>'), done);
    await stage.server.restart();
    const late = await account.connects();
    await late.gets(
      rosterGet,
      rosterOf('<item jid="nurse@localhost" name="Nurse" subscription="none"><group>Servants</group></item>'),
    );
  });
});
