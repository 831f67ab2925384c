import { befriend, Stage } from '../support/conversation.ts';
import { expectTree } from '../support/test-client.ts';
import { findTree } from '../support/xml-tree.ts';

const inactive = '<inactive xmlns="urn:xmpp:csi:0"/>';
const active = '<active xmlns="urn:xmpp:csi:0"/>';
const chatState = (name: string) => `<${name} xmlns="http://jabber.org/protocol/chatstates"/>`;

describe('Client state indication (XEP-0352)', () => {
  const stage = new Stage();

  async function sleeping() {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    juliet.sends(inactive);
    await juliet.settles();
    return { romeo, juliet };
  }

  it('is offered once one is authenticated (XEP-0352 §3)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    if (!romeo.features || !findTree(romeo.features, 'csi')) throw new Error('not offered');
  });

  it('holds presence and chat states back, the latest of each (XEP-0352 §5)', async () => {
    const { romeo, juliet } = await sleeping();
    romeo.sends('<presence><show>away</show></presence>', '<presence><show>xa</show></presence>');
    romeo.sends(`<message to="${juliet.jid}" type="chat">${chatState('composing')}</message>`);
    await romeo.drains();
    // Only what is asked for comes: the answer to the ping lets the rest go first.
    juliet.sends(active);
    await juliet.receivesInAnyOrder(
      `<presence from="${romeo.jid}"><show>xa</show></presence>`,
      `<message from="${romeo.jid}">${chatState('composing')}</message>`,
    );
    await juliet.receivesNothing();
  });

  it('lets messages through, behind what was held back (XEP-0352 §5)', async () => {
    const { romeo, juliet } = await sleeping();
    romeo.sends('<presence><show>away</show></presence>');
    romeo.sends(`<message to="${juliet.bare}" type="chat"><body>wake up</body></message>`);
    await juliet.receives(`<presence from="${romeo.jid}"><show>away</show></presence>`);
    await juliet.receives('<message><body>wake up</body></message>');
    await juliet.receivesNothing();
  });

  it('ends with what was held back (XEP-0352 §5)', async () => {
    const { romeo, juliet } = await sleeping();
    romeo.sends('<presence><show>away</show></presence>');
    await romeo.drains();
    juliet.sends(active);
    await juliet.receives(`<presence from="${romeo.jid}"><show>away</show></presence>`);
    romeo.sends('<presence/>');
    await juliet.receives(`<presence from="${romeo.jid}"/>`);
  });

  const publish = (id: string, version: string) =>
    '<iq type="set"><pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="urn:test">' +
    `<item id="${id}"><v xmlns="urn:test">${version}</v></item></publish></pubsub></iq>`;
  const event = (from: string, version: string) =>
    `<message from="${from}" type="headline" id="*"><event xmlns="http://jabber.org/protocol/pubsub#event"><items node="urn:test">` +
    `<item id="*"><v xmlns="urn:test">${version}</v></item></items></event>...</message>`;

  /** A pair of friends; she gets the events of his node, and says so when she is asked. */
  async function interested() {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    juliet.sends('<presence><c xmlns="http://jabber.org/protocol/caps" hash="sha-1" node="urn:c" ver="x"/></presence>');
    await juliet.drains();
    await romeo.drains();
    await romeo.gets(publish('1', 'zero'), '<iq type="result">...</iq>');
    const asked = await juliet.receives(
      '<iq type="get"><query xmlns="http://jabber.org/protocol/disco#info" node="urn:c#x"/></iq>',
    );
    juliet.sends(
      `<iq type="result" id="${asked.attributes.get('id')}" to="${asked.attributes.get('from')}">` +
        '<query xmlns="http://jabber.org/protocol/disco#info"><feature var="urn:test+notify"/></query></iq>',
    );
    await juliet.receives(event(romeo.bare, 'zero'));
    return { romeo, juliet };
  }

  it('holds events of nodes back, the latest of each item, before the next message (XEP-0352 §3.2)', async () => {
    const { romeo, juliet } = await interested();
    juliet.sends(inactive);
    await juliet.settles();
    for (const version of ['one', 'two', 'three'])
      await romeo.gets(publish('1', version), '<iq type="result">...</iq>');
    await romeo.gets(publish('2', 'other'), '<iq type="result">...</iq>');
    romeo.sends(`<message to="${juliet.bare}" type="chat"><body>wake up</body></message>`);
    await juliet.receives(event(romeo.bare, 'three'));
    await juliet.receives(event(romeo.bare, 'other'));
    await juliet.receives('<message><body>wake up</body></message>');
    await juliet.receivesNothing();
  });

  it('gives an answer behind what was held back (RFC 6120 §10.1)', async () => {
    const { romeo, juliet } = await sleeping();
    romeo.sends(`<message to="${juliet.jid}" type="chat"><received xmlns="urn:xmpp:receipts" id="1"/></message>`);
    await romeo.drains();
    juliet.sends('<iq type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>');
    await juliet.receives('<message><received xmlns="urn:xmpp:receipts" id="1"/></message>');
    await juliet.receives('<iq type="result" id="1"/>');
  });

  it('is active again in a session that was resumed, with what was held back (XEP-0352 §5.2)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const account = await stage.account('juliet');
    const juliet = await account.arrives();
    await befriend(romeo, juliet);
    juliet.sends('<enable xmlns="urn:xmpp:sm:3" resume="true"/>');
    const token = (await juliet.receives('<enabled xmlns="urn:xmpp:sm:3">...</enabled>')).attributes.get('id');
    juliet.sends(inactive);
    await juliet.drains();
    romeo.sends('<presence><show>away</show></presence>');
    await romeo.drains();
    juliet.disconnects();
    const back = await stage.client();
    await back.opens();
    await back.authenticates({ username: account.local, password: account.password });
    back.sends(`<resume xmlns="urn:xmpp:sm:3" previd="${token}" h="1"/>`);
    await back.receives('<resumed xmlns="urn:xmpp:sm:3" h="*" previd="*"/>');
    await back.receives(`<presence from="${romeo.jid}"><show>away</show></presence>`);
    back.sends('<a xmlns="urn:xmpp:sm:3" h="2"/>');
    romeo.sends('<presence><show>xa</show></presence>');
    for (;;) {
      const tree = await back.receives('<any. xmlns="*">...</any.>');
      if (tree.name !== 'presence') continue;
      expectTree(tree, `<presence from="${romeo.jid}"><show>xa</show></presence>`);
      return;
    }
  });

  it('said twice is said once (XEP-0352 §4)', async () => {
    const { romeo, juliet } = await sleeping();
    juliet.sends(inactive, active, active);
    await juliet.receivesNothing();
    romeo.sends('<presence/>');
    await juliet.receives(`<presence from="${romeo.jid}"/>`);
  });
});
