import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { expectTrees, type TestClient } from '../support/test-client.ts';
import { findTree, type Tree } from '../support/xml-tree.ts';
import { answersTo, apart, hearsNothing, message, messagesOf, nextMessages, report } from './amp-cast.ts';

const enable = '<iq type="set" id="c"><enable xmlns="urn:xmpp:carbons:2"/></iq>';

/** The messages that carbons carry. */
function carried(trees: readonly Tree[]): Tree[] {
  return messagesOf(trees).map((tree) => {
    const inner = findTree(tree, 'forwarded')?.children[0];
    if (!inner) throw new Error(`not a carbon: ${tree.raw}`);
    return inner;
  });
}

describe('AMP and carbons (XEP-0079, XEP-0280)', () => {
  const clock = new ManualClock(Date.UTC(2030, 1, 28, 23, 59, 30));
  const patient = { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 };
  const stage = new Stage({ clock, settings: { limits: { disabled: true, c2s: patient } } });

  async function withCarbons(client: TestClient): Promise<TestClient> {
    client.sends(enable);
    await client.drains();
    return client;
  }

  /** Romeo's second device, and juliet with a device that does not take messages for the account. */
  async function cast() {
    const romeo = await stage.account('romeo');
    const phone = await romeo.arrives({ resource: 'phone' });
    const laptop = await withCarbons(await romeo.arrives({ resource: 'laptop' }));
    const juliet = await stage.account('juliet');
    const balcony = await juliet.arrives({ resource: 'balcony' });
    const silent = await withCarbons(await juliet.connects('silent'));
    balcony.sends(`<presence to="${romeo.jid}" type="subscribed"/>`);
    phone.sends(`<presence to="${juliet.jid}" type="subscribe"/>`);
    await phone.drains();
    balcony.sends(`<presence to="${romeo.jid}" type="subscribed"/>`);
    for (const one of [balcony, phone, laptop, silent]) await one.drains();
    return { romeo, phone, laptop, juliet, balcony, silent };
  }

  for (const words of ['drop deliver direct', 'alert deliver direct', 'error deliver direct']) {
    it(`a stopped message makes none, nor does what is said of it: ${words} (D-8, D-22, D-39)`, async () => {
      const { phone, laptop, juliet, balcony, silent } = await cast();
      const answers = messagesOf(await answersTo(phone, message(juliet.jid, [words])));
      expectTrees(answers, ...(words.startsWith('drop') ? [] : [report(phone, juliet.jid, words)]));
      for (const other of [laptop, balcony, silent]) await hearsNothing(other);
    });
  }

  it('a message that goes on makes them, its report does not, and they are no deliveries (D-22, D-39)', async () => {
    const { phone, laptop, juliet, silent } = await cast();
    const to = `${juliet.jid}/balcony`;
    const words = ['notify match-resource exact', 'drop match-resource other'];
    expectTrees(messagesOf(await answersTo(phone, message(to, words))), report(phone, to, words[0]!));
    for (const other of [laptop, silent]) {
      const [inner, ...more] = carried(await other.drains());
      expect([inner?.attributes.get('to'), more.length]).to.deep.equal([to, 0]);
    }
  });

  it('an error about a message that was copied is copied (N-49, D-22)', async () => {
    const { phone, laptop, juliet, balcony } = await cast();
    await balcony.closes();
    await phone.drains();
    const words = `error expire-at ${new Date(clock.nowMs() + 30_000).toISOString()}`;
    expect(await answersTo(phone, message(juliet.jid, [words]))).to.deep.equal([]);
    expect(carried(await laptop.drains())).to.have.length(1);
    clock.advance(30_000);
    expectTrees(await nextMessages(phone, 1), report(phone, juliet.jid, words));
    expectTrees(carried(await nextMessages(laptop, 1)), report(phone, juliet.jid, words));
  });

  it('what a carbon carries is obeyed by nobody (D-1)', async () => {
    const { romeo, juliet } = await apart(stage);
    const balcony = await withCarbons(await juliet.arrives({ resource: 'balcony' }));
    await romeo.drains();
    romeo.sends(message(juliet.jid, ['notify deliver direct']));
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, 'notify deliver direct'));
    expect(messagesOf(await balcony.drains())).to.have.length(1);
    await hearsNothing(romeo);
  });
});
