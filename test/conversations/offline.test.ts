import { expect } from 'chai';
import { type Account, befriend, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { expectTree, expectTrees, rawOf, type TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';

const bodyOf = (tree: Tree) => childOf(tree, 'body')?.text;
const messagesOf = (trees: readonly Tree[]) => trees.filter(({ name }) => name === 'message');
const chat = (to: string, body: string, attributes = '') => {
  return `<message to="${to}" type="chat"${attributes}><body>${body}</body></message>`;
};
const refused =
  '<message type="error"><error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></message>';

describe('Messages for absent users (XEP-0160)', () => {
  const offline = { maxMessages: 5, maxBytes: 4000 };
  const stage = new Stage({ settings: { limits: { disabled: true }, offline } });

  async function absent(): Promise<{ romeo: TestClient; juliet: Account }> {
    const { romeo } = await stage.enter(['romeo']);
    return { romeo, juliet: await stage.account('juliet') };
  }

  /** The same, but each may see the presence of the other: strangers hear of no refusal. */
  async function absentContact() {
    const { romeo, juliet } = await absent();
    const balcony = await juliet.arrives();
    await befriend(romeo, balcony);
    await balcony.closes();
    await romeo.drains();
    return { romeo, juliet };
  }

  it('are kept and delivered in order, with the time they came (XEP-0160 §2, XEP-0203 §2)', async () => {
    const { romeo, juliet } = await absent();
    const before = Math.floor(Date.now() / 1000) * 1000;
    romeo.sends(
      chat(juliet.jid, 'one', ' id="m1" xml:lang="en"'),
      chat(`${juliet.jid}/old`, 'two'),
      chat(juliet.jid, 'three'),
    );
    await romeo.settles();
    const balcony = await juliet.arrives();
    const messages = messagesOf(balcony.arrival);
    expect(messages.map(bodyOf)).to.deep.equal(['one', 'two', 'three']);
    const first = messages[0] ?? expect.fail();
    expectTree(
      first,
      `<message from="${romeo.jid}" to="${juliet.jid}" type="chat" id="m1" xml:lang="en"><body>one</body><delay xmlns="urn:xmpp:delay" from="localhost" stamp="*">*</delay></message>`,
      { strict: true },
    );
    const stamp = Date.parse(childOf(first, 'delay')?.attributes.get('stamp') ?? '');
    expect(stamp).to.be.within(before, Date.now());
  });

  it('are kept with their content in no other namespace than that of the stream (RFC 6120 §4.8.5)', async () => {
    const { romeo, juliet } = await absent();
    romeo.sends(`<message to="${juliet.jid}" type="chat"><j:body xmlns:j="jabber:client">prefixed</j:body></message>`);
    await romeo.settles();
    const [message] = messagesOf((await juliet.arrives()).arrival);
    expect(rawOf(message!)).to.include('<body>prefixed</body>');
  });

  it('are delivered once (XEP-0160 §2)', async () => {
    const { romeo, juliet } = await absent();
    romeo.sends(chat(juliet.jid, 'once'));
    await romeo.settles();
    const first = await juliet.arrives();
    expect(messagesOf(first.arrival).map(bodyOf)).to.deep.equal(['once']);
    // The answer to the server's ping has been read by the time the next one is answered.
    await first.receivesNothing();
    await first.closes();
    expect(messagesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
  });

  it('come before anything that is sent later (RFC 6120 §10.1)', async () => {
    const { romeo, juliet } = await absent();
    romeo.sends(chat(juliet.jid, 'old'));
    await romeo.settles();
    const balcony = await juliet.connects('balcony');
    balcony.sends('<presence/>');
    romeo.sends(chat(balcony.jid, 'new'));
    await romeo.settles();
    const bodies = messagesOf(await balcony.drains()).map(bodyOf);
    expect(bodies).to.have.members(['old', 'new']);
  });

  it('go to one resource only, the first that takes messages (XEP-0160 §2)', async () => {
    const { romeo, juliet } = await absent();
    romeo.sends(chat(juliet.jid, 'hello'));
    await romeo.settles();
    const silent = await juliet.arrives({ presence: false });
    const negative = await juliet.arrives({ presence: '<presence><priority>-1</priority></presence>' });
    expect(messagesOf(negative.arrival)).to.deep.equal([]);
    const balcony = await juliet.arrives();
    expect(messagesOf(balcony.arrival).map(bodyOf)).to.deep.equal(['hello']);
    await silent.receivesNothing();
    expect(messagesOf(await negative.drains())).to.deep.equal([]);
    expect(messagesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
  });

  it('come when the priority stops being negative (RFC 6121 §8.5.2.2.1)', async () => {
    const { romeo, juliet } = await absent();
    const balcony = await juliet.arrives({ presence: '<presence><priority>-5</priority></presence>' });
    romeo.sends(chat(juliet.jid, 'now?'));
    await romeo.settles();
    await balcony.receivesNothing();
    balcony.sends('<presence><priority>0</priority></presence>');
    expect(messagesOf(await balcony.drains()).map(bodyOf)).to.deep.equal(['now?']);
  });

  it('come again if the connection broke before the client could read them (XEP-0160 §2)', async () => {
    const { romeo, juliet } = await absent();
    romeo.sends(chat(juliet.jid, 'one', ' id="same"'), chat(juliet.jid, 'two'));
    await romeo.settles();
    for (let attempt = 0; attempt < 2; attempt++) {
      const deaf = await juliet.connects();
      deaf.answersPings = false;
      deaf.sends('<presence/>');
      await deaf.receives(`<presence from="${deaf.jid}"/>`);
      await deaf.receives('<message id="same"><body>one</body>...</message>');
      await deaf.receives('<message><body>two</body>...</message>');
      await deaf.receives('<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>');
      deaf.disconnects();
    }
    const balcony = await juliet.arrives();
    expect(messagesOf(balcony.arrival).map(bodyOf)).to.deep.equal(['one', 'two']);
  });

  it('go to another resource if the one that was to get them is gone (XEP-0160 §2)', async () => {
    const { romeo, juliet } = await absent();
    romeo.sends(chat(juliet.jid, 'whither'));
    await romeo.settles();
    const deaf = await juliet.connects('deaf');
    deaf.answersPings = false;
    deaf.sends('<presence/>');
    await deaf.receives(`<presence from="${deaf.jid}"/>`);
    await deaf.receives('<message><body>whither</body>...</message>');
    const balcony = await juliet.arrives();
    expect(messagesOf(balcony.arrival)).to.deep.equal([]);
    deaf.disconnects();
    await balcony.receives(`<presence from="${deaf.jid}" type="unavailable"/>`);
    await balcony.receives('<message><body>whither</body>...</message>');
  });

  it('outlive the server (XEP-0160 §2)', async () => {
    const { romeo, juliet } = await absent();
    romeo.sends(chat(juliet.jid, 'morrow'));
    await romeo.settles();
    await stage.server.restart();
    const balcony = await juliet.arrives();
    expect(messagesOf(balcony.arrival).map(bodyOf)).to.deep.equal(['morrow']);
  });

  it('are refused when there are too many (XEP-0160 §2)', async () => {
    const { romeo, juliet } = await absentContact();
    for (let n = 0; n < 6; n++) romeo.sends(chat(juliet.jid, String(n), ` id="m${n}"`));
    await romeo.receives(refused.replace('type="error"', 'type="error" id="m5"'));
    await romeo.receivesNothing();
    const balcony = await juliet.arrives();
    expect(messagesOf(balcony.arrival).map(bodyOf)).to.deep.equal(['0', '1', '2', '3', '4']);
  });

  it('are refused when they are too large together (XEP-0160 §2)', async () => {
    const { romeo, juliet } = await absentContact();
    romeo.sends(chat(juliet.jid, 'x'.repeat(3000)), chat(juliet.jid, 'y'.repeat(3000)), chat(juliet.jid, 'z'));
    await romeo.receives(refused);
    await romeo.receivesNothing();
    const balcony = await juliet.arrives();
    expect(messagesOf(balcony.arrival).map((tree) => bodyOf(tree)?.[0])).to.deep.equal(['x', 'z']);
  });

  describe('of some kinds are not kept (XEP-0160 §3)', () => {
    const chatState = '<active xmlns="http://jabber.org/protocol/chatstates"/>';
    for (const [name, content, answered] of [
      ['a chat state alone (XEP-0085 §5.6)', chatState, false],
      ['a chat state with its thread (XEP-0085 §5.6)', `${chatState}<thread>t</thread>`, false],
      ['what is not to be stored (XEP-0334 §4.3)', '<body>x</body><no-store xmlns="urn:xmpp:hints"/>', true],
    ] as const) {
      it(`${name}: ${answered ? 'refused' : 'forgotten'}`, async () => {
        const { romeo, juliet } = await absentContact();
        romeo.sends(`<message to="${juliet.jid}" type="chat">${content}</message>`);
        expectTrees(await romeo.drains(), ...(answered ? [refused] : []));
        expect(messagesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
      });
    }

    it('a chat state with a body is', async () => {
      const { romeo, juliet } = await absent();
      romeo.sends(`<message to="${juliet.jid}" type="chat"><body>x</body>${chatState}</message>`);
      await romeo.settles();
      expect(messagesOf((await juliet.arrives()).arrival).map(bodyOf)).to.deep.equal(['x']);
    });
  });

  it('carry only our own stamp in our name (XEP-0203 §5)', async () => {
    const { romeo, juliet } = await absent();
    const forged = '<delay xmlns="urn:xmpp:delay" from="localhost" stamp="1999-01-01T00:00:00Z"/>';
    const foreign = '<delay xmlns="urn:xmpp:delay" from="gateway.example" stamp="1999-01-01T00:00:00Z"/>';
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>x</body>${forged}${foreign}</message>`);
    await romeo.settles();
    const message = messagesOf((await juliet.arrives()).arrival)[0] ?? expect.fail();
    expect(message.raw.match(/1999/g), message.raw).to.have.length(1);
    expect(message.children.filter(({ name }) => name === 'delay')).to.have.length(2);
  });

  it('are announced as a feature (XEP-0160 §4)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const info = await romeo.asks(
      `<iq type="get" to="${stage.domain}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>`,
    );
    expect(info.raw).to.include('msgoffline');
  });
});

describe('Messages for absent users, by the clock of the server (XEP-0203 §2)', () => {
  const clock = new ManualClock(Date.UTC(2030, 1, 28, 23, 59, 59));
  const stage = new Stage({ clock });

  it('are stamped in UTC with the time they came, not the time they go', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const juliet = await stage.account('juliet');
    romeo.sends(chat(juliet.jid, 'eve'));
    await romeo.settles();
    clock.advance(2000);
    romeo.sends(chat(juliet.jid, 'morning'));
    await romeo.settles();
    const balcony = await juliet.arrives();
    const stamps = messagesOf(balcony.arrival).map((tree) => childOf(tree, 'delay')?.attributes.get('stamp'));
    expect(stamps.map((stamp) => stamp?.replace(/\.000Z$/, 'Z'))).to.deep.equal([
      '2030-02-28T23:59:59Z',
      '2030-03-01T00:00:01Z',
    ]);
  });
});
