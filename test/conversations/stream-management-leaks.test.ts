import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { TestClient } from '../support/test-client.ts';

const sm = 'urn:xmpp:sm:3';
const cycles = 20;

describe('clients that go without a word, at every stage (XEP-0198 §7)', () => {
  const clock = new ManualClock();
  const stage = new Stage({
    clock,
    settings: { limits: { disabled: true, c2s: { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 } } },
  });
  let juliet: Account;
  let watcher: TestClient;
  beforeEach(async () => {
    juliet = await stage.account('juliet');
    watcher = await (await stage.account('romeo')).arrives();
  });

  async function enabled(): Promise<{ client: TestClient; token: string }> {
    const client = await juliet.arrives();
    client.sends(`<enable xmlns="${sm}" resume="true" max="60"/>`);
    const answer = await client.receives(`<enabled xmlns="${sm}">...</enabled>`);
    return { client, token: answer.attributes.get('id') ?? '' };
  }

  async function opened(): Promise<TestClient> {
    const client = await stage.client();
    await client.opens();
    return client;
  }

  async function resumed(): Promise<TestClient> {
    const { client: lost, token } = await enabled();
    lost.disconnects();
    const client = await opened();
    await client.authenticates({ username: juliet.local, password: juliet.password });
    client.sends(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
    await client.receives(`<resumed xmlns="${sm}">...</resumed>`);
    return client;
  }

  async function owing(): Promise<TestClient> {
    const { client } = await enabled();
    watcher.sends(`<message to="${client.jid}" type="headline"><body>news</body></message>`);
    await client.receives('<message>...</message>');
    return client;
  }

  const stages: Record<string, () => Promise<TestClient>> = {
    connected: () => stage.client(),
    opened,
    bound: () => juliet.connects(),
    managed: async () => (await enabled()).client,
    'owing an acknowledgment': owing,
    resumed,
  };

  /** Longer than any session waits for its client, and than copies wait to be removed; then once more for what that has begun. */
  async function rest(): Promise<void> {
    for (let step = 0; step < 3; step++) {
      clock.advance(61_000);
      await watcher.settles();
    }
  }

  for (const [name, reach] of Object.entries(stages)) {
    it(`leave nothing behind: ${name}`, async () => {
      await rest();
      const base = clock.pendingCount;
      for (let cycle = 0; cycle < cycles; cycle++) {
        const client = await reach();
        client.disconnects();
        await watcher.settles();
      }
      await rest();
      expect(clock.pendingCount).to.equal(base);
    });
  }
});
