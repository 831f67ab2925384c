import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { expectTrees, type TestClient } from '../support/test-client.ts';
import { bodiesOf, hearsNothing, message, nextMessages, report, together } from './amp-cast.ts';

const sm = 'urn:xmpp:sm:3';

describe('Rules of messages for a client that is away and may come back (XEP-0198 §5, D-40)', () => {
  const clock = new ManualClock();
  const stage = new Stage({
    clock,
    settings: {
      limits: { disabled: true, c2s: { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 } },
      streamManagement: { resumeSeconds: 600 },
    },
  });
  const inMs = (ms: number) => new Date(clock.nowMs() + ms).toISOString();

  /** Romeo is there; juliet's connection is lost and her session waits. */
  async function parted(): Promise<{ romeo: TestClient; juliet: Account; token: string }> {
    const { romeo, juliet, balcony } = await together(stage);
    balcony.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const enabled = await balcony.receives(`<enabled xmlns="${sm}">...</enabled>`);
    balcony.disconnects();
    await balcony.receivesClosed();
    // The server hears of the loss before it answers these.
    for (let count = 0; count < 3; count++) await hearsNothing(romeo);
    clock.advance(1);
    return { romeo, juliet, token: enabled.attributes.get('id') ?? '' };
  }

  /** The server is started again, and Romeo is there by another resource. */
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

  /** Juliet's client comes back; what it is given up to and including a message that says 'and then'. */
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
    it(`what has expired meanwhile is not delivered: ${action}`, async () => {
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

  it('what has not expired is delivered, and that it is delivered is told only then', async () => {
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
    it(`also after a restart: ${action}`, async () => {
      const { romeo, juliet, token } = await parted();
      const words = `${action} expire-at ${inMs(30_000)}`;
      romeo.sends(message(juliet.jid, [words]));
      romeo.sends(`<message to="${juliet.jid}" type="chat"><body>and then</body></message>`);
      await hearsNothing(romeo);
      const again = await restarted(romeo);
      clock.advance(30_000);
      const delivered = action === 'notify' ? ['Good morrow', 'and then'] : ['and then'];
      expect(await comesBack(juliet, token)).to.deep.equal(delivered);
      // An error has waited in the store for a moment (XEP-0203).
      const told = report(romeo, juliet.jid, words)
        .replace(`to="${romeo.jid}"`, `to="${romeo.bare}"`)
        .replace('</message>', '...</message>');
      if (action !== 'drop') expectTrees(await nextMessages(again, 1), told);
      await hearsNothing(again);
    });
  }

  it('what has not expired is delivered after a restart, too, and told', async () => {
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

  it('what may have been read before a restart is given again, expired or not', async () => {
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

  it('who does not come back in time has not been reached: the rules are asked again', async () => {
    const { romeo, juliet } = await parted();
    romeo.sends(message(juliet.jid, ['notify deliver direct', 'notify deliver stored']));
    await hearsNothing(romeo);
    clock.advance(601_000);
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, 'notify deliver stored'));
    expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal(['Good morrow']);
  });
});
