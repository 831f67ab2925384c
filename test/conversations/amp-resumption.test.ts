import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { expectTrees, type TestClient } from '../support/test-client.ts';
import { bodiesOf, hearsNothing, message, nextMessages, report, together } from './amp-cast.ts';

const sm = 'urn:xmpp:sm:3';

describe('Rules of messages for a session that waits for its client (XEP-0198 §5, D-40)', () => {
  const clock = new ManualClock();
  const stage = new Stage({
    clock,
    settings: {
      limits: { disabled: true, c2s: { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 } },
      streamManagement: { resumeSeconds: 600 },
      amp: {
        policies: [
          { name: 'stale', match: { namespace: 'urn:x:alarm' }, rules: [{ action: 'drop', maxAgeSeconds: 30 }] },
          { name: 'old', match: { namespace: 'urn:x:news' }, rules: [{ action: 'drop', maxAgeSeconds: 700 }] },
        ],
      },
    },
  });
  const inMs = (ms: number) => new Date(clock.nowMs() + ms).toISOString();

  /** Romeo is online. Juliet's connection is lost, and her session waits. */
  async function parted(): Promise<{ romeo: TestClient; juliet: Account; token: string }> {
    const { romeo, juliet, balcony } = await together(stage);
    balcony.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const enabled = await balcony.receives(`<enabled xmlns="${sm}">...</enabled>`);
    balcony.disconnects();
    await balcony.receivesClosed();
    // The server notices the loss before it answers these.
    for (let count = 0; count < 3; count++) await hearsNothing(romeo);
    clock.advance(1);
    return { romeo, juliet, token: enabled.attributes.get('id') ?? '' };
  }

  /** Juliet ends Romeo's subscription. Resolves with the client she uses for that, which accepts no messages yet. */
  async function partsWays(juliet: Account, romeo: TestClient): Promise<TestClient> {
    const garden = await juliet.arrives({
      resource: 'garden',
      presence: '<presence><priority>-1</priority></presence>',
    });
    garden.sends(`<presence to="${romeo.bare}" type="unsubscribed"/>`);
    await garden.drains();
    return garden;
  }

  /** Restarts the server, and connects Romeo with another resource. */
  async function restarted({ bare }: TestClient): Promise<TestClient> {
    await stage.server.restart();
    const client = await stage.client();
    const [username = ''] = bare.split('@');
    await client.opens();
    await client.authenticates({ username, password: `${username}-has-a-password` });
    await client.binds();
    await client.appears();
    return client;
  }

  /** Juliet's client resumes. Resolves with what it receives up to and including the message 'and then'. */
  async function comesBack(juliet: Account, token: string): Promise<(string | undefined)[]> {
    const client = await stage.client();
    await client.opens();
    await client.authenticates({ username: juliet.local, password: juliet.password });
    client.sends(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
    await client.receives(`<resumed xmlns="${sm}" h="*" previd="${token}"/>`);
    const bodies: (string | undefined)[] = [];
    while (bodies.at(-1) !== 'and then') bodies.push(...bodiesOf(await nextMessages(client, 1)));
    client.sends(`<a xmlns="${sm}" h="${bodies.length}"/>`);
    await client.drains();
    return bodies;
  }

  for (const action of ['drop', 'alert', 'error']) {
    it(`an expired message is not delivered: ${action}`, async () => {
      const { romeo, juliet, token } = await parted();
      const words = `${action} expire-at ${inMs(30_000)}`;
      romeo.sends(message(juliet.jid, [words]));
      romeo.sends(`<message to="${juliet.jid}" type="chat"><body>and then</body></message>`);
      await hearsNothing(romeo);
      clock.advance(30_000);
      expect(await comesBack(juliet, token)).to.deep.equal(['and then']);
      if (action !== 'drop') expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, words));
      await hearsNothing(romeo);
    });
  }

  it('a message that has not expired is delivered, and reported only then', async () => {
    const { romeo, juliet, token } = await parted();
    const words = ['notify deliver direct', `drop expire-at ${inMs(30_000)}`];
    romeo.sends(message(juliet.jid, words));
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>and then</body></message>`);
    await hearsNothing(romeo);
    clock.advance(29_999);
    expect(await comesBack(juliet, token)).to.deep.equal(['Good morrow', 'and then']);
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, 'notify deliver direct'));
  });

  for (const action of ['drop', 'alert', 'error', 'notify']) {
    it(`an expired message is not delivered after a restart: ${action}`, async () => {
      const { romeo, juliet, token } = await parted();
      const words = `${action} expire-at ${inMs(30_000)}`;
      romeo.sends(message(juliet.jid, [words]));
      romeo.sends(`<message to="${juliet.jid}" type="chat"><body>and then</body></message>`);
      await hearsNothing(romeo);
      const again = await restarted(romeo);
      clock.advance(30_000);
      const delivered = action === 'notify' ? ['Good morrow', 'and then'] : ['and then'];
      expect(await comesBack(juliet, token)).to.deep.equal(delivered);
      // An error was stored in between (XEP-0203).
      const told = report(romeo, juliet.jid, words)
        .replace(`to="${romeo.jid}"`, `to="${romeo.bare}"`)
        .replace('</message>', '...</message>');
      if (action !== 'drop') expectTrees(await nextMessages(again, 1), told);
      await hearsNothing(again);
    });
  }

  it('a message that has not expired is delivered after a restart, too, and reported', async () => {
    const { romeo, juliet, token } = await parted();
    romeo.sends(message(juliet.jid, ['notify deliver direct', `drop expire-at ${inMs(30_000)}`]));
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>and then</body></message>`);
    await hearsNothing(romeo);
    const again = await restarted(romeo);
    clock.advance(29_999);
    expect(await comesBack(juliet, token)).to.deep.equal(['Good morrow', 'and then']);
    const told = report(romeo, juliet.jid, 'notify deliver direct').replace(`to="${romeo.jid}"`, `to="${romeo.bare}"`);
    expectTrees(await nextMessages(again, 1), told);
  });

  it('a sender who was accepted gets the report after a restart, even if the subscription has ended', async () => {
    const { romeo, juliet, token } = await parted();
    const words = `alert expire-at ${inMs(30_000)}`;
    romeo.sends(message(juliet.jid, [words]));
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>and then</body></message>`);
    await hearsNothing(romeo);
    await partsWays(juliet, romeo);
    const again = await restarted(romeo);
    clock.advance(30_000);
    expect(await comesBack(juliet, token)).to.deep.equal(['and then']);
    const told = report(romeo, juliet.jid, words).replace(`to="${romeo.jid}"`, `to="${romeo.bare}"`);
    expectTrees(await nextMessages(again, 1), told);
  });

  it('an accepted message is not refused when it moves to the store, even if the subscription has ended (D-26)', async () => {
    const { romeo, juliet } = await parted();
    romeo.sends(message(juliet.jid, ['notify deliver stored']));
    await hearsNothing(romeo);
    const garden = await partsWays(juliet, romeo);
    clock.advance(601_000);
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, 'notify deliver stored'));
    garden.sends('<presence/>');
    expect(bodiesOf(await nextMessages(garden, 1))).to.deep.equal(['Good morrow']);
  });

  for (const [words, ageMs, delivered] of [
    ['is given', 29_999, ['Alarm', 'and then']],
    ['is not given', 30_000, ['and then']],
  ] as const) {
    it(`by the operator's rules, too: a message sent ${ageMs} ms ago ${words}`, async () => {
      const { romeo, juliet, token } = await parted();
      romeo.sends(`<message to="${juliet.jid}" type="chat"><body>Alarm</body><x xmlns="urn:x:alarm"/></message>`);
      romeo.sends(`<message to="${juliet.jid}" type="chat"><body>and then</body></message>`);
      await hearsNothing(romeo);
      clock.advance(10_000);
      await restarted(romeo);
      clock.advance(ageMs - 10_000);
      expect(await comesBack(juliet, token)).to.deep.equal(delivered);
    });
  }

  for (const [title, more] of [
    ['by a policy', '<x xmlns="urn:x:news"/>'],
    ['by XEP-0023', '<x xmlns="jabber:x:expire" seconds="700"/>'],
  ] as const) {
    it(`a message keeps its age when it moves to the store: ${title} (D-44)`, async () => {
      for (const waitMs of [699_999, 700_000]) {
        const { romeo, juliet } = await parted();
        romeo.sends(`<message to="${juliet.jid}" type="chat"><body>News</body>${more}</message>`);
        await hearsNothing(romeo);
        clock.advance(600_000);
        await hearsNothing(romeo);
        clock.advance(waitMs - 600_000);
        const { arrival } = await juliet.arrives();
        expect(bodiesOf(arrival)).to.deep.equal(waitMs < 700_000 ? ['News'] : []);
      }
    });
  }

  it('a message that one resource has got has not expired for the sender (D-7)', async () => {
    const { romeo, juliet, token } = await parted();
    const garden = await juliet.arrives({ resource: 'garden' });
    romeo.sends(message(juliet.jid, [`alert expire-at ${inMs(30_000)}`]));
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>and then</body></message>`);
    expect(bodiesOf(await nextMessages(garden, 2))).to.deep.equal(['Good morrow', 'and then']);
    clock.advance(30_000);
    expect(await comesBack(juliet, token)).to.deep.equal(['and then']);
    await hearsNothing(romeo);
  });

  it('a message that may have been read before a restart is delivered again, expired or not', async () => {
    const { romeo, juliet, balcony } = await together(stage);
    balcony.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const enabled = await balcony.receives(`<enabled xmlns="${sm}">...</enabled>`);
    romeo.sends(message(juliet.jid, [`alert expire-at ${inMs(30_000)}`]));
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>and then</body></message>`);
    await nextMessages(balcony, 2);
    clock.advance(1);
    const again = await restarted(romeo);
    clock.advance(30_000);
    expect(await comesBack(juliet, enabled.attributes.get('id') ?? '')).to.deep.equal(['Good morrow', 'and then']);
    await hearsNothing(again);
  });

  it('a message is judged again when its session ends without a confirmation', async () => {
    const { romeo, juliet } = await parted();
    romeo.sends(message(juliet.jid, ['notify deliver direct', 'notify deliver stored']));
    await hearsNothing(romeo);
    clock.advance(601_000);
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, 'notify deliver stored'));
    expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal(['Good morrow']);
  });
});
