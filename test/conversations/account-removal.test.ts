import { expect } from 'chai';
import { befriend, Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';

const nodeOf = (content: string) => `<pubsub xmlns="http://jabber.org/protocol/pubsub">${content}</pubsub>`;

/** What an account may have of its own: how a client sets it, and how a client asks for it. */
const belongings: Readonly<Record<string, readonly [set: string, get: string]>> = {
  'a roster': [
    '<query xmlns="jabber:iq:roster"><item jid="contact@there.example"/></query>',
    '<query xmlns="jabber:iq:roster"/>',
  ],
  'a block list': [
    '<block xmlns="urn:xmpp:blocking"><item jid="blocked@there.example"><report xmlns="urn:xmpp:reporting:1" reason="urn:xmpp:reporting:spam"/></item></block>',
    '<blocklist xmlns="urn:xmpp:blocking"/>',
  ],
  'private XML': [
    '<query xmlns="jabber:iq:private"><x xmlns="urn:example:x">private</x></query>',
    '<query xmlns="jabber:iq:private"><x xmlns="urn:example:x"/></query>',
  ],
  'a node': [
    nodeOf('<publish node="urn:example:node"><item id="i"><x xmlns="urn:example:x">node</x></item></publish>'),
    nodeOf('<items node="urn:example:node"/>'),
  ],
  'a vCard': ['<vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard>', '<vCard xmlns="vcard-temp"/>'],
  'preferences of its archive': [
    '<prefs xmlns="urn:xmpp:mam:2" default="roster"><always/><never><jid>never@there.example</jid></never></prefs>',
    '<prefs xmlns="urn:xmpp:mam:2"/>',
  ],
};

describe('An account of the name of a removed one', () => {
  const stage = new Stage({ settings: { archive: { enabled: true }, limits: { disabled: true } } });

  /** What the account has, as its client sees it, without what is different in each session. */
  async function has(client: TestClient): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const [name, [, get]] of Object.entries(belongings)) {
      const answer = await client.asks(`<iq type="get">${get}</iq>`);
      found[name] = answer.raw.replace(/ (id|to|ver)="[^"]*"/g, '').replaceAll(client.bare, 'OWN');
    }
    return found;
  }

  /** The bodies in the archive of the account. */
  async function archived(client: TestClient): Promise<string[]> {
    client.sends('<iq type="set" id="mam"><query xmlns="urn:xmpp:mam:2"/></iq>');
    const came = await client.drains();
    return came.flatMap(({ raw }) => /<body>(.*?)<\/body>/.exec(raw)?.[1] ?? []);
  }

  it('inherits nothing', async () => {
    const account = await stage.account('juliet');
    const romeo = await (await stage.account('romeo')).arrives({ roster: true });
    const blank = await has(await (await stage.account('nurse')).connects());

    const juliet = await account.arrives();
    await befriend(romeo, juliet);
    for (const [set] of Object.values(belongings)) {
      const answer = await juliet.asks(`<iq type="set">${set}</iq>`);
      expect(answer.attributes.get('type'), answer.raw).to.equal('result');
    }
    romeo.sends(`<message to="${account.jid}" type="chat"><body>archived</body></message>`);
    await juliet.receives('<message>...</message>');
    const before = await has(juliet);
    for (const name of Object.keys(belongings)) expect(before[name], name).to.not.equal(blank[name]);
    expect(await archived(juliet)).to.deep.equal(['archived']);
    juliet.sends('<presence type="unavailable"/>');
    await juliet.drains();
    romeo.sends(`<message to="${account.jid}" type="chat"><body>offline</body></message>`);
    await romeo.drains();

    const remover = await account.connects();
    remover.sends('<iq type="set" id="r"><query xmlns="jabber:iq:register"><remove/></query></iq>');
    await remover.receives('<iq id="r" type="result"/>');
    await remover.receivesStreamError('not-authorized');
    await romeo.drains();
    const asked = async (jid: string) =>
      (await romeo.asks(`<iq type="get" to="${jid}"><vCard xmlns="vcard-temp"/></iq>`)).raw
        .replace(/ id="[^"]*"/, '')
        .replace(jid, 'SOMEBODY');
    expect(await asked(account.jid)).to.equal(await asked('nobody@localhost'));

    await stage.server.addUser(account.jid, account.password);
    const reborn = await account.connects();
    expect(await has(reborn)).to.deep.equal(blank);
    expect(await archived(reborn)).to.deep.equal([]);
    reborn.sends('<presence/>');
    await reborn.receives(`<presence from="${reborn.jid}" to="${reborn.jid}"/>`);
    expect((await reborn.drains()).map(({ raw }) => raw)).to.deep.equal([]);
    await romeo.receivesNothing();
  });
});
