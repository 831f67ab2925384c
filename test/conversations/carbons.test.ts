import { expect } from 'chai';
import { type Account, befriend, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { expectTree, type TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';

const sm = 'urn:xmpp:sm:3';
const enable = '<enable xmlns="urn:xmpp:carbons:2"/>';
const chat = (to: string, body: string, more = '') =>
  `<message to="${to}" type="chat" id="${body}"><body>${body}</body>${more}</message>`;
const carbon = (direction: 'sent' | 'received', owner: string, device: TestClient, inner: string) =>
  `<message from="${owner}" to="${device.jid}" type="chat"><${direction} xmlns="urn:xmpp:carbons:2">` +
  `<forwarded xmlns="urn:xmpp:forward:0">${inner}</forwarded></${direction}></message>`;

/** A message in a few words: `sent hi` and `received hi` are carbons. */
function brief(tree: Tree): string {
  const direction = ['sent', 'received'].find((name) => childOf(tree, name)?.ns === 'urn:xmpp:carbons:2');
  const message = direction ? findTree(tree, 'forwarded')?.children[0] : tree;
  const said = message?.attributes.get('type') === 'error' ? 'error' : saidIn(message);
  return direction ? `${direction} ${said}` : `${said}`;
}

/** The body, or the name of what stands in its place. */
function saidIn(message: Tree | undefined): string | undefined {
  return message && (childOf(message, 'body')?.text ?? message.children[0]?.name);
}

/** The messages among what came. */
function messagesIn(trees: readonly Tree[]): string[] {
  return trees.filter(({ name }) => name === 'message').map(brief);
}

/** The next messages, whatever else comes between them. */
async function next(client: TestClient, count: number): Promise<string[]> {
  const found: string[] = [];
  while (found.length < count) found.push(...messagesIn([await client.receives('<any. xmlns="*">...</any.>')]));
  return found;
}

describe('Message Carbons (XEP-0280)', () => {
  const clock = new ManualClock();
  const patient = { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 };
  const stage = new Stage({ clock, settings: { limits: { disabled: true, c2s: patient } } });

  /** An available device with carbons. */
  async function device(account: Account, resource: string, priority = 0): Promise<TestClient> {
    const client = await account.arrives({
      resource,
      presence: `<presence><priority>${priority}</priority></presence>`,
    });
    await client.gets(`<iq type="set">${enable}</iq>`, `<iq from="${account.jid}" to="${client.jid}" type="result"/>`);
    return client;
  }

  /** Romeo with three devices and juliet with two, of which one takes messages for the account. */
  async function cast() {
    const romeo = await stage.account('romeo');
    const juliet = await stage.account('juliet');
    const devices = {
      phone: await device(romeo, 'phone'),
      laptop: await device(romeo, 'laptop'),
      tablet: await device(romeo, 'tablet', -1),
      balcony: await device(juliet, 'balcony', 1),
      chamber: await device(juliet, 'chamber'),
    };
    for (const client of Object.values(devices)) await client.drains();
    return { romeo, juliet, ...devices };
  }

  it('show a conversation on all devices of both sides, in the order of each sender', async () => {
    const { romeo, juliet, phone, laptop, tablet, balcony, chamber } = await cast();
    phone.sends(chat(juliet.jid, 'one'), chat(juliet.jid, 'two'));
    await phone.settles();
    const one = `<message xmlns="jabber:client" from="${phone.jid}" to="${juliet.jid}" id="one" type="chat"><body>one</body></message>`;
    for (const other of [laptop, tablet]) {
      await other.receives(carbon('sent', romeo.jid, other, one), { strict: true });
      expect(messagesIn(await other.drains())).to.deep.equal(['sent two']);
    }
    await balcony.receives(one, { strict: true });
    await chamber.receives(carbon('received', juliet.jid, chamber, one), { strict: true });
    expect(messagesIn(await chamber.drains())).to.deep.equal(['received two']);
    balcony.sends(chat(phone.jid, 'three'));
    await balcony.drains();
    expect(messagesIn(await chamber.drains())).to.deep.equal(['sent three']);
    expect(messagesIn(await phone.drains())).to.deep.equal(['three']);
    for (const other of [laptop, tablet]) expect(messagesIn(await other.drains())).to.deep.equal(['received three']);
  });

  it('are announced by the domain (XEP-0280 §3)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const info = await romeo.asks(
      `<iq type="get" to="${romeo.domain}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>`,
    );
    const features = findTree(info, 'query')?.children.map(({ attributes }) => attributes.get('var'));
    expect(features).to.include.members(['urn:xmpp:carbons:2', 'urn:xmpp:carbons:rules:0']);
  });

  it('are enabled with the resource, without a gap: Bind 2 (XEP-0386 §4)', async () => {
    const { romeo, juliet, balcony } = await cast();
    const client = await stage.client();
    await client.opens();
    const plain = Buffer.from(`\0${romeo.local}\0${romeo.password}`).toString('base64');
    client.sends(
      `<authenticate xmlns="urn:xmpp:sasl:2" mechanism="PLAIN"><initial-response>${plain}</initial-response>` +
        `<bind xmlns="urn:xmpp:bind:0">${enable}</bind></authenticate>`,
    );
    await client.receives('<success xmlns="urn:xmpp:sasl:2">...</success>');
    balcony.sends(chat(romeo.jid, 'hi'));
    await balcony.drains();
    expect(await next(client, 1)).to.deep.equal(['received hi']);
    expect(juliet.jid).to.equal(balcony.bare);
  });

  it('are not made of what the recipient has blocked (XEP-0191 §3.3)', async () => {
    const { romeo, juliet, phone, laptop, balcony, chamber } = await cast();
    balcony.sends(`<iq type="set" id="b"><block xmlns="urn:xmpp:blocking"><item jid="${romeo.jid}"/></block></iq>`);
    await balcony.drains();
    phone.sends(chat(juliet.jid, 'hi'));
    expect(messagesIn(await phone.drains())).to.deep.equal(['error']);
    expect(messagesIn(await laptop.drains())).to.deep.equal(['sent hi', 'received error']);
    for (const one of [balcony, chamber]) expect(messagesIn(await one.drains())).to.deep.equal([]);
    balcony.sends(chat(romeo.jid, 'bye'));
    expect(messagesIn(await balcony.drains())).to.deep.equal(['error']);
    for (const one of [phone, laptop, chamber]) expect(messagesIn(await one.drains())).to.deep.equal([]);
  });

  it('of a chat state wake no sleeping device, those of a message do (XEP-0352 §3.2)', async () => {
    const { juliet, phone, laptop, balcony } = await cast();
    laptop.sends('<inactive xmlns="urn:xmpp:csi:0"/>');
    await laptop.settles();
    const state = (to: string, name: string) =>
      `<message to="${to}" type="chat"><${name} xmlns="http://jabber.org/protocol/chatstates"/></message>`;
    for (const name of ['composing', 'paused']) {
      phone.sends(state(juliet.jid, name));
      await phone.drains();
      balcony.sends(state(phone.jid, name));
      await balcony.drains();
    }
    balcony.sends(chat(phone.jid, 'hi'));
    await balcony.drains();
    // Had the first states not waited, they would be there, too.
    expect(messagesIn(await laptop.drains())).to.deep.equal(['sent paused', 'received paused', 'received hi']);
  });

  it('that are forged are refused to the own account and recognizable from others (XEP-0280 §11)', async () => {
    const { romeo, juliet, phone, laptop, balcony } = await cast();
    const inner = `<message xmlns="jabber:client" from="${juliet.jid}/balcony" type="chat"><body>forged</body></message>`;
    const forged = carbon('received', juliet.jid, phone, inner).replace(`from="${juliet.jid}" to="${phone.jid}"`, '');
    for (const to of [romeo.jid, laptop.jid]) {
      phone.sends(forged.replace('<message ', `<message to="${to}" `));
      await phone.receives(`<message from="${to}" type="error"><error type="modify">...</error></message>`);
    }
    await laptop.receivesNothing();
    balcony.sends(forged.replace('<message ', `<message to="${laptop.jid}" `));
    const passed = await laptop.receives('<message>...</message>');
    expect(passed.attributes.get('from')).to.equal(balcony.jid);
  });

  describe('of a device that is away', () => {
    async function resumable(client: TestClient): Promise<string> {
      client.sends(`<enable xmlns="${sm}" resume="true"/>`);
      return (await client.receives(`<enabled xmlns="${sm}">...</enabled>`)).attributes.get('id') ?? '';
    }

    async function resumes(account: Account, token: string, h: number): Promise<TestClient> {
      const client = await stage.client();
      await client.opens();
      await client.authenticates({ username: account.local, password: account.password });
      client.sends(`<resume xmlns="${sm}" previd="${token}" h="${h}"/>`);
      expectTree(await client.receives('<any. xmlns="*">...</any.>'), `<resumed xmlns="${sm}">...</resumed>`);
      return client;
    }

    /** Sends messages and waits until the server is responsible for them. */
    async function sendsSafely(client: TestClient, ...stanzas: string[]): Promise<void> {
      client.sends(`<enable xmlns="${sm}"/>`, ...stanzas, `<r xmlns="${sm}"/>`);
      for (;;) {
        const { name, attributes } = await client.receives('<any. xmlns="*">...</any.>');
        if (name === 'a' && attributes.get('h') === `${stanzas.length}`) return;
        if (name === 'a') client.sends(`<r xmlns="${sm}"/>`);
      }
    }

    for (const restart of [false, true]) {
      it(`come when its session is resumed${restart ? ', also after a restart, and go on' : ''} (XEP-0198 §5)`, async () => {
        const { romeo, juliet, phone, laptop, tablet, balcony } = await cast();
        const token = await resumable(laptop);
        laptop.disconnects();
        await sendsSafely(phone, chat(juliet.jid, 'one'), chat(juliet.jid, 'two'));
        if (restart) await stage.server.restart();
        else await next(tablet, 2);
        const back = await resumes(romeo, token, 0);
        expect(await next(back, 2)).to.deep.equal(['sent one', 'sent two']);
        const again = restart ? await romeo.arrives({ resource: 'again' }) : balcony;
        again.sends(chat(restart ? juliet.jid : `${romeo.jid}/phone`, 'three'));
        expect(await next(back, 1)).to.deep.equal([restart ? 'sent three' : 'received three']);
      });
    }

    it('end with its session: they are not delivered to another device, stored or bounced (XEP-0280 §10.3)', async () => {
      const { romeo, juliet, phone, laptop, tablet } = await cast();
      await resumable(laptop);
      laptop.disconnects();
      await sendsSafely(phone, chat(juliet.jid, 'one'));
      expect(await next(tablet, 1)).to.deep.equal(['sent one']);
      clock.advance(86_400_000);
      await tablet.drains();
      expect(messagesIn(await phone.drains())).to.deep.equal([]);
      for (const client of [phone, tablet]) client.disconnects();
      const late = await romeo.arrives({ resource: 'late' });
      expect(messagesIn(late.arrival)).to.deep.equal([]);
    });
  });

  it('of errors follow the message that failed', async () => {
    const { phone, laptop } = await cast();
    phone.sends(chat('nobody@localhost', 'hi'));
    expect(messagesIn(await phone.drains())).to.deep.equal(['error']);
    expect(messagesIn(await laptop.drains())).to.deep.equal(['sent hi', 'received error']);
  });

  it('cost a client that has not asked for them nothing', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    romeo.sends(chat(juliet.bare, 'hi'));
    await romeo.settles();
    await juliet.receives('<message><body>hi</body></message>');
    await juliet.receivesNothing();
  });
});
