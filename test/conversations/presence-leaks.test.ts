import { expect } from 'chai';
import { befriend, Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';

const get = (payload: string) => (to: string) => `<iq type="get" id="x" to="${to}">${payload}</iq>`;
const set = (payload: string) => (to: string) => `<iq type="set" id="x" to="${to}">${payload}</iq>`;
const presence = (type: string) => (to: string) => `<presence type="${type}" id="x" to="${to}"/>`;
const message = (type: string, payload = '<body>hello</body>') => {
  return (to: string) => `<message type="${type}" id="x" to="${to}">${payload}</message>`;
};

const pubsub = (content: string, part = '') =>
  `<pubsub xmlns="http://jabber.org/protocol/pubsub${part}">${content}</pubsub>`;
const publication = pubsub('<publish node="n"><item id="i"><p xmlns="urn:p"/></item></publish>');

/** What must look the same whether the account is online, offline, unknown, or has blocked the asker. */
const questions: Readonly<Record<string, (to: string) => string>> = {
  'ping (XEP-0199 §4)': get('<ping xmlns="urn:xmpp:ping"/>'),
  'disco#info (XEP-0030 §8)': get('<query xmlns="http://jabber.org/protocol/disco#info"/>'),
  'disco#items (XEP-0030 §8)': get('<query xmlns="http://jabber.org/protocol/disco#items"/>'),
  'disco#info of a node (XEP-0030 §8)': get('<query xmlns="http://jabber.org/protocol/disco#info" node="n"/>'),
  'last activity (XEP-0012 §8)': get('<query xmlns="jabber:iq:last"/>'),
  'software version (XEP-0092 §3)': get('<query xmlns="jabber:iq:version"/>'),
  'time (XEP-0202 §3)': get('<time xmlns="urn:xmpp:time"/>'),
  'vCard (XEP-0054 §3.2)': get('<vCard xmlns="vcard-temp"/>'),
  'set of a vCard (XEP-0054 §3.3)': set('<vCard xmlns="vcard-temp"><FN>Eve</FN></vCard>'),
  'roster (RFC 6121 §2.1.3)': get('<query xmlns="jabber:iq:roster"/>'),
  'roster push (RFC 6121 §2.1.6)': set('<query xmlns="jabber:iq:roster"><item jid="eve@localhost"/></query>'),
  'private storage (XEP-0049 §2)': get('<query xmlns="jabber:iq:private"><x xmlns="urn:example:x"/></query>'),
  'block list (XEP-0191 §3.1)': get('<blocklist xmlns="urn:xmpp:blocking"/>'),
  'items of a node (XEP-0060 §6.5)': get(pubsub('<items node="n"/>')),
  'items of no node (XEP-0060 §6.5)': get(pubsub('<items/>')),
  'items of a private node (XEP-0402 §5)': get(pubsub('<items node="urn:xmpp:bookmarks:1"/>')),
  'disco#items of a node (XEP-0060 §5.5)': get('<query xmlns="http://jabber.org/protocol/disco#items" node="n"/>'),
  'subscription to a node (XEP-0060 §6.1)': set(pubsub('<subscribe node="n" jid="eve@localhost"/>')),
  'end of a subscription (XEP-0060 §6.2)': set(pubsub('<unsubscribe node="n" jid="eve@localhost"/>')),
  'list of subscriptions (XEP-0060 §5.6)': get(pubsub('<subscriptions/>')),
  'publication (XEP-0060 §7.1)': set(publication),
  'publication without an item (XEP-0060 §7.1)': set(pubsub('<publish node="n"/>')),
  'retraction (XEP-0060 §7.2)': set(pubsub('<retract node="n"><item id="i"/></retract>')),
  'creation of a node (XEP-0060 §8.1)': set(pubsub('<create node="m"/>')),
  'configuration of a node (XEP-0060 §8.2)': get(pubsub('<configure node="n"/>', '#owner')),
  'deletion of a node (XEP-0060 §8.4)': set(pubsub('<delete node="n"/>', '#owner')),
  'registration (XEP-0077 §3.1)': get('<query xmlns="jabber:iq:register"/>'),
  'removal of the account (XEP-0077 §3.2)': set('<query xmlns="jabber:iq:register"><remove/></query>'),
  'unknown get (RFC 6120 §8.4)': get('<query xmlns="urn:example:unknown"/>'),
  'unknown set (RFC 6120 §8.4)': set('<query xmlns="urn:example:unknown"/>'),
  'probe (RFC 6121 §4.3.2)': presence('probe'),
  'subscribe (RFC 6121 §3.1.3)': presence('subscribe'),
  'unsubscribe (RFC 6121 §3.3.3)': presence('unsubscribe'),
  'unsubscribed (RFC 6121 §3.2.3)': presence('unsubscribed'),
  'subscribed (RFC 6121 §3.1.6)': presence('subscribed'),
  'directed presence (RFC 6121 §4.6)': (to) => `<presence id="x" to="${to}"/>`,
  'directed unavailable presence (RFC 6121 §4.6)': presence('unavailable'),
  'groupchat message (RFC 6121 §8.5.2.1.1)': message('groupchat'),
  'error message (RFC 6121 §8.5.2.1.1)': message('error'),
};

/** What must look the same whether the account is online or offline; that it exists may show. */
const messages: Readonly<Record<string, (to: string) => string>> = {
  'normal message (RFC 6121 §8.5)': message('normal'),
  'chat message (RFC 6121 §8.5)': message('chat'),
  'headline message (RFC 6121 §8.5)': message('headline'),
  'chat state (XEP-0085 §5.6)': message('chat', '<active xmlns="http://jabber.org/protocol/chatstates"/>'),
  'chat message not to be stored (XEP-0334 §4.3)': message('chat', '<body>x</body><no-store xmlns="urn:xmpp:hints"/>'),
  'request for a receipt (XEP-0184 §8)': message('chat', '<body>x</body><request xmlns="urn:xmpp:receipts"/>'),
};

describe('Strangers learn nothing about an account (RFC 6120 §13.10.2, RFC 6121 §11)', () => {
  const stage = new Stage();

  /** Accounts that differ in everything a stranger must not see. */
  async function accounts() {
    const [offline, online, silent, absent, blocking] = [
      await stage.account('v'),
      await stage.account('v'),
      await stage.account('v'),
      await stage.account('v'),
      await stage.account('v'),
    ];
    const client = await online.arrives({ resource: 'balcony', presence: '<presence><show>chat</show></presence>' });
    // By default contacts may read it, and the other one is private.
    await client.gets(`<iq type="set">${publication}</iq>`, '<iq type="result">...</iq>');
    const bookmark = publication.replace('"n"', '"urn:xmpp:bookmarks:1"');
    await client.gets(`<iq type="set">${bookmark}</iq>`, '<iq type="result">...</iq>');
    await silent.arrives({ presence: false });
    await absent.arrives({ presence: '<presence><priority>-1</priority></presence>' });
    return { offline: offline.jid, online: online.jid, silent: silent.jid, negative: absent.jid, blocking };
  }

  /** The bytes that came back, with the address of the account taken out. */
  async function answersTo(stranger: TestClient, question: (to: string) => string, bare: string, resource: string) {
    stranger.sends(question(`${bare}${resource}`));
    const answers = await stranger.drains();
    return answers.map(({ raw }) => raw.replaceAll(bare, 'account')).join('');
  }

  for (const resource of ['', '/nowhere']) {
    const address = resource === '' ? 'a bare JID' : 'a resource that is not there';
    for (const [name, question] of Object.entries(questions)) {
      it(`${name} to ${address}`, async () => {
        const { eve } = await stage.enter(['eve']);
        const { blocking, ...others } = await accounts();
        const victim = await blocking.arrives();
        const block = `<iq type="set"><block xmlns="urn:xmpp:blocking"><item jid="${eve.bare}"/></block></iq>`;
        await victim.gets(block, '<iq type="result"/>');
        const found: Record<string, string> = {};
        for (const [state, bare] of Object.entries({
          ...others,
          blocking: blocking.jid,
          unknown: `nobody@${stage.domain}`,
        })) {
          found[state] = await answersTo(eve, question, bare, resource);
        }
        expect(found).to.deep.equal(Object.fromEntries(Object.keys(found).map((state) => [state, found['unknown']])));
      });
    }

    for (const [name, question] of Object.entries(messages)) {
      it(`${name} to ${address}`, async () => {
        const { eve } = await stage.enter(['eve']);
        const { offline, online, silent, negative } = await accounts();
        const found: Record<string, string> = {};
        for (const [state, bare] of Object.entries({ offline, online, silent, negative })) {
          found[state] = await answersTo(eve, question, bare, resource);
        }
        expect(found).to.deep.equal(Object.fromEntries(Object.keys(found).map((state) => [state, found['offline']])));
      });

      it(`${name} to ${address} of a user who blocks the sender is answered as without an account (XEP-0191 §3.3)`, async () => {
        const { eve } = await stage.enter(['eve']);
        const { blocking } = await accounts();
        const victim = await blocking.arrives();
        await victim.gets(
          `<iq type="set"><block xmlns="urn:xmpp:blocking"><item jid="${eve.bare}"/></block></iq>`,
          '<iq type="result"/>',
        );
        const blocked = await answersTo(eve, question, blocking.jid, resource);
        expect(blocked).to.equal(await answersTo(eve, question, `nobody@${stage.domain}`, resource));
        await victim.receivesNothing();
      });
    }
  }

  it('a subscriber may ask when the account was last seen (XEP-0012 §4)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    await romeo.gets(
      `<iq type="get" to="${juliet.bare}"><query xmlns="jabber:iq:last"/></iq>`,
      '<iq type="result"><query xmlns="jabber:iq:last" seconds="0">*</query></iq>',
    );
  });
});
