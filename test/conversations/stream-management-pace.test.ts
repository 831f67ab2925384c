import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf } from '../support/xml-tree.ts';

const sm = 'urn:xmpp:sm:3';
const number = 60;
const padding = 'x'.repeat(5000);
const expected = Array.from({ length: number }, (_, index) => `${index}`);

describe('A session that waits with more bytes than the buffer of a connection takes', () => {
  const clock = new ManualClock();
  const stage = new Stage({
    clock,
    settings: {
      limits: { disabled: true, c2s: { outgoingBufferBytes: 262_144, writeStallSeconds: 86_400 } },
      streamManagement: { resumeSeconds: 600 },
    },
  });

  /** The ids of the next messages. */
  async function nextIds(client: TestClient): Promise<(string | undefined)[]> {
    const ids: (string | undefined)[] = [];
    while (ids.length < number) {
      const arrival = await client.connection.next('a message');
      if (arrival.kind !== 'element') throw new Error(`expected a message, got ${arrival.kind}`);
      if (childOf(arrival.tree, 'body')) ids.push(arrival.tree.attributes.get('id'));
    }
    return ids;
  }

  for (const [title, restarts] of [
    ['gives it to the client that resumes, in order (XEP-0198 §5)', false],
    ['does so after a restart of the server', true],
  ] as const)
    it(title, async () => {
      const [juliet, romeo] = [await stage.account('juliet'), await (await stage.account('romeo')).arrives()];
      const balcony = await juliet.arrives();
      balcony.sends(`<enable xmlns="${sm}" resume="true"/>`);
      const token = (await balcony.receives(`<enabled xmlns="${sm}">...</enabled>`)).attributes.get('id');
      balcony.disconnects();
      for (const id of expected)
        romeo.sends(`<message to="${balcony.jid}" type="chat" id="${id}"><body>${padding}</body></message>`);
      await romeo.drains();
      if (restarts) await stage.server.restart();
      const back = await stage.client();
      await back.opens();
      await back.authenticates({ username: juliet.local, password: juliet.password });
      back.sends(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
      expect(await nextIds(back)).to.deep.equal(expected);
    });
});
