import { Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { TestClient } from '../support/test-client.ts';

const sm = 'urn:xmpp:sm:3';
const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';

describe('Stream management as it is without a word of the operator (XEP-0198 §5)', () => {
  const clock = new ManualClock();
  const c2s = { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 };
  const stage = new Stage({ clock, settings: { limits: { disabled: true, c2s } } });

  /** The connection of one is lost, and the server has heard of that before it answers the other. */
  async function loses(client: TestClient, other: TestClient): Promise<void> {
    client.disconnects();
    for (let count = 0; count < 3; count++) await other.drains();
  }

  for (const [asked, seconds] of [
    ['', 3600],
    [' max="1000000"', 86_400],
  ] as const) {
    it(`keeps the session of a client that is away for ${seconds} s, and names no other place`, async () => {
      const account = await stage.account('juliet');
      const comesBack = async (token: string) => {
        const client = await stage.client();
        await client.opens();
        await client.authenticates({ username: account.local, password: account.password });
        client.sends(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
        return client;
      };
      const first = await account.arrives();
      first.sends(`<enable xmlns="${sm}" resume="true"${asked}/>`);
      const enabled = `<enabled xmlns="${sm}" id="*" resume="true" max="${seconds}" location="{none}"/>`;
      const token = (await first.receives(enabled)).attributes.get('id') ?? '';
      const other = await account.arrives();
      await loses(first, other);
      clock.advance(seconds * 1000 - 1);
      const second = await comesBack(token);
      await second.receives(`<resumed xmlns="${sm}">...</resumed>`);
      await loses(second, other);
      clock.advance(seconds * 1000);
      await other.receives('<presence type="unavailable">...</presence>');
      await (await comesBack(token)).receives(
        `<failed xmlns="${sm}" h="0"><item-not-found xmlns="${stanzas}"/></failed>`,
      );
    });
  }
});
