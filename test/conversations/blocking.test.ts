import { befriend, Stage } from '../support/conversation.ts';
import { expectTree, expectTrees, type TestClient } from '../support/test-client.ts';

const done = '<iq type="result"/>';
const items = (jids: readonly string[]) => jids.map((jid) => `<item jid="${jid}"/>`).join('');
const block = (...jids: string[]) => `<iq type="set"><block xmlns="urn:xmpp:blocking">${items(jids)}</block></iq>`;
const unblock = (...jids: string[]) =>
  `<iq type="set"><unblock xmlns="urn:xmpp:blocking">${items(jids)}</unblock></iq>`;
const blocklist = '<iq type="get"><blocklist xmlns="urn:xmpp:blocking"/></iq>';
const listOf = (...jids: string[]) =>
  `<iq type="result"><blocklist xmlns="urn:xmpp:blocking">${items(jids)}</blocklist></iq>`;
const unavailable =
  '<error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error>';
const blockedByOneself =
  '<error type="cancel"><not-acceptable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/><blocked xmlns="urn:xmpp:blocking:errors"/>...</error>';

describe('Blocking (XEP-0191)', () => {
  const stage = new Stage();

  /** Juliet blocks Romeo; both are friends and online. */
  async function estranged(): Promise<{ romeo: TestClient; juliet: TestClient }> {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    await juliet.gets(block(romeo.bare), done);
    await romeo.receives(`<presence from="${juliet.jid}" type="unavailable"/>`);
    return { romeo, juliet };
  }

  it('has a list that is empty at first (XEP-0191 §3.2)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    await juliet.gets(blocklist, listOf());
  });

  it('keeps what is put on the list (XEP-0191 §3.3)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    await juliet.gets(block('romeo@localhost', 'mantua.example'), done);
    await juliet.gets(block('paris@localhost/castle', 'romeo@localhost'), done);
    await juliet.gets(blocklist, listOf('romeo@localhost', 'mantua.example', 'paris@localhost/castle'));
  });

  it('tells the other resources that asked for the list, and nobody else (XEP-0191 §3.3)', async () => {
    const account = await stage.account('juliet');
    const balcony = await account.connects('balcony');
    const chamber = await account.connects('chamber');
    const hall = await account.connects('hall');
    await chamber.gets(blocklist, listOf());
    await balcony.gets(block('romeo@localhost'), done);
    await chamber.receives(
      `<iq type="set" to="${chamber.jid}"><block xmlns="urn:xmpp:blocking">${items(['romeo@localhost'])}</block></iq>`,
    );
    await balcony.gets(unblock('romeo@localhost'), done);
    await chamber.receives(
      `<iq type="set" to="${chamber.jid}"><unblock xmlns="urn:xmpp:blocking">${items(['romeo@localhost'])}</unblock></iq>`,
    );
    await balcony.gets(unblock(), done);
    await chamber.receives('<iq type="set"><unblock xmlns="urn:xmpp:blocking"/></iq>');
    await hall.receivesNothing();
  });

  it('lets no message through, and says what it would say of nobody (XEP-0191 §3.3)', async () => {
    const { romeo, juliet } = await estranged();
    for (const to of [juliet.bare, juliet.jid]) {
      romeo.sends(`<message to="${to}" type="chat" id="m"><body>x</body></message>`);
      await romeo.receives(`<message type="error" id="m" from="${to}">${unavailable}</message>`);
    }
    await juliet.receivesNothing();
  });

  it('keeps no message for later (XEP-0191 §3.3)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const account = await stage.account('juliet');
    const juliet = await account.connects();
    await juliet.gets(block(romeo.bare), done);
    await juliet.closes();
    romeo.sends(`<message to="${account.jid}" type="chat"><body>x</body></message>`);
    await romeo.receives(`<message type="error">${unavailable}</message>`);
    const late = await account.arrives();
    await late.gets(unblock(), done);
    expectTrees(late.arrival, `<presence from="${late.jid}"/>`);
    await late.receivesNothing();
  });

  it('lets no iq through (XEP-0191 §3.3)', async () => {
    const { romeo, juliet } = await estranged();
    for (const to of [juliet.bare, juliet.jid]) {
      await romeo.gets(
        `<iq type="get" to="${to}"><ping xmlns="urn:xmpp:ping"/></iq>`,
        `<iq type="error" from="${to}">${unavailable}</iq>`,
      );
    }
    romeo.sends(`<iq type="result" id="x" to="${juliet.jid}"/>`);
    await romeo.receivesNothing();
    await juliet.receivesNothing();
  });

  it('lets no presence through, either way (XEP-0191 §3.3)', async () => {
    const { romeo, juliet } = await estranged();
    romeo.sends('<presence><show>away</show></presence>', `<presence to="${juliet.jid}"/>`);
    await romeo.receives(`<presence from="${romeo.jid}"><show>away</show></presence>`);
    await romeo.receivesNothing();
    await juliet.receivesNothing();
    juliet.sends('<presence><show>dnd</show></presence>');
    await juliet.receives(`<presence from="${juliet.jid}"><show>dnd</show></presence>`);
    await romeo.receivesNothing();
  });

  it('lets no request for a subscription through (XEP-0191 §3.3)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await juliet.gets(block(romeo.bare), done);
    romeo.sends(`<presence to="${juliet.bare}" type="subscribe"/>`);
    await romeo.receivesNothing();
    await juliet.receivesNothing();
    await juliet.gets(unblock(romeo.bare), done);
    await juliet.receivesNothing();
  });

  it('hides a request that waits for an answer, until the sender is unblocked', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const account = await stage.account('juliet');
    const juliet = await account.arrives();
    romeo.sends(`<presence to="${account.jid}" type="subscribe"/>`);
    await juliet.receives(`<presence from="${romeo.bare}" type="subscribe"/>`);
    await juliet.gets(block(romeo.bare), done);
    await juliet.closes();
    const again = await account.arrives();
    expectTrees(again.arrival, `<presence from="${again.jid}"/>`);
    await again.gets(unblock(romeo.bare), done);
    await again.closes();
    const last = await account.arrives();
    expectTrees(last.arrival, `<presence from="${last.jid}"/>`, `<presence from="${romeo.bare}" type="subscribe"/>`);
  });

  it('does not answer a room, which would remove the user from it', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await juliet.gets(block(romeo.bare), done);
    romeo.sends(`<message type="groupchat" to="${juliet.jid}"><body>blocked</body></message>`);
    await romeo.receivesNothing();
    await juliet.receivesNothing();
    // Rooms find clients that are gone by the error.
    romeo.sends(`<message type="groupchat" to="${juliet.bare}/gone"><body>blocked</body></message>`);
    await romeo.receives('<message type="error">...</message>');
  });

  it('stops what the user sends to somebody blocked (XEP-0191 §3.3)', async () => {
    const { romeo, juliet } = await estranged();
    juliet.sends(`<message to="${romeo.bare}" id="m"><body>x</body></message>`);
    await juliet.receives(`<message type="error" id="m" from="${romeo.bare}">${blockedByOneself}</message>`);
    await juliet.gets(
      `<iq type="get" to="${romeo.jid}"><ping xmlns="urn:xmpp:ping"/></iq>`,
      `<iq type="error" from="${romeo.jid}">${blockedByOneself}</iq>`,
    );
    juliet.sends(`<presence to="${romeo.bare}" id="p"/>`);
    await juliet.receives(`<presence type="error" id="p">${blockedByOneself}</presence>`);
    await romeo.receivesNothing();
  });

  it('ended, shows both to each other again (XEP-0191 §3.4)', async () => {
    const { romeo, juliet } = await estranged();
    await juliet.gets(unblock(romeo.bare), done);
    await romeo.receives(`<presence from="${juliet.jid}" type="{none}"/>`);
    romeo.sends(`<message to="${juliet.bare}" type="chat"><body>again</body></message>`);
    await juliet.receives('<message><body>again</body></message>');
  });

  it('tells somebody who was sent directed presence that it is over (XEP-0191 §3.3)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    juliet.sends(`<presence to="${romeo.jid}"/>`);
    await romeo.receives(`<presence from="${juliet.jid}" type="{none}"/>`);
    await juliet.gets(block(romeo.bare), done);
    await romeo.receives(`<presence from="${juliet.jid}" type="unavailable"/>`);
    await juliet.closes();
    await romeo.receivesNothing();
  });

  it('leaves the friendship as it is (XEP-0191 §3.3)', async () => {
    const { romeo, juliet } = await estranged();
    await juliet.gets(
      '<iq type="get"><query xmlns="jabber:iq:roster"/></iq>',
      `<iq type="result"><query xmlns="jabber:iq:roster"><item jid="${romeo.bare}" subscription="both"/></query></iq>`,
    );
  });

  for (const [name, entry, blocked] of [
    ['a domain (XEP-0191 §6)', () => 'localhost', true],
    ['a full JID (XEP-0191 §6)', (romeo: TestClient) => romeo.jid, true],
    ['another resource (XEP-0191 §6)', (romeo: TestClient) => `${romeo.bare}/other`, false],
    ['an address in another case (RFC 7622 §3.3)', (romeo: TestClient) => romeo.bare.toUpperCase(), true],
  ] as const) {
    it(`by ${name} ${blocked ? 'hits' : 'does not hit'}`, async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      await juliet.gets(block(entry(romeo)), done);
      romeo.sends(`<message to="${juliet.bare}" type="chat"><body>x</body></message>`);
      const received = await (blocked ? romeo : juliet).receives('<message>...</message>');
      expectTree(received, `<message type="${blocked ? 'error' : 'chat'}">...</message>`);
    });
  }

  it('of the own domain does not cut the user off from the server (XEP-0191 §5)', async () => {
    const account = await stage.account('juliet');
    const balcony = await account.arrives({ resource: 'balcony' });
    await balcony.gets(block('localhost'), done);
    const chamber = await account.arrives({ resource: 'chamber' });
    await balcony.receives(`<presence from="${chamber.jid}"/>`);
    chamber.sends(`<message to="${balcony.jid}"><body>x</body></message>`);
    await balcony.receives('<message><body>x</body></message>');
    await balcony.gets('<iq type="get" to="localhost"><ping xmlns="urn:xmpp:ping"/></iq>', done);
  });

  for (const [name, request, condition] of [
    ['nobody', block(), 'bad-request'],
    ['an item without an address', block('').replace(' jid=""', ''), 'bad-request'],
    ['an address that is none', block('@'), 'jid-malformed'],
  ] as const) {
    it(`of ${name} is refused (XEP-0191 §3.3)`, async () => {
      const { juliet } = await stage.enter(['juliet']);
      await juliet.gets(
        request,
        `<iq type="error"><error type="modify"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>`,
      );
      await juliet.gets(blocklist, listOf());
    });
  }

  it('outlives the session and the server (XEP-0191 §3.3)', async () => {
    const account = await stage.account('juliet');
    await (await account.connects()).gets(block('romeo@localhost'), done);
    await stage.server.restart();
    await (await account.connects()).gets(blocklist, listOf('romeo@localhost'));
  });
});
