import { expect } from 'chai';
import fc from 'fast-check';
import { Stage } from '../support/conversation.ts';
import { ResilientClient, type SentMessage } from './resilient-client.ts';

type Step =
  | { readonly does: 'write'; readonly count: number }
  | { readonly does: 'cut'; readonly whom: 'writer' | 'reader' }
  | { readonly does: 'begin anew'; readonly whom: 'reader' };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ does: fc.constant('write' as const), count: fc.integer({ min: 1, max: 9 }) }), weight: 4 },
  {
    arbitrary: fc.record({
      does: fc.constant('cut' as const),
      whom: fc.constantFrom('writer' as const, 'reader' as const),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({ does: fc.constant('begin anew' as const), whom: fc.constant('reader' as const) }),
    weight: 1,
  },
);

/** A client that reads until its connection is cut. */
class Reading {
  readonly client: ResilientClient;
  #done: Promise<void> = Promise.resolve();

  constructor(client: ResilientClient) {
    this.client = client;
  }

  async begin(port: number): Promise<void> {
    await this.client.connects(port);
    this.#done = this.client.reads(() => undefined);
  }

  async cut(): Promise<void> {
    this.client.disconnects();
    await this.#done;
  }
}

describe('connections that are cut at any moment (XEP-0198 §5)', () => {
  const stage = new Stage({ settings: { limits: { disabled: true }, tls: { required: false } } });
  let runs = 0;

  async function client(name: string, acknowledged: SentMessage[]): Promise<Reading> {
    await stage.server.addUser(`${name}@localhost`, `${name}-password`);
    const events = { acknowledged: (messages: readonly SentMessage[]) => void acknowledged.push(...messages) };
    return new Reading(new ResilientClient(name, true, events));
  }

  it('lose nothing acknowledged, keep the order, and repeat only whole messages', async () => {
    const property = fc.asyncProperty(fc.array(steps, { minLength: 3, maxLength: 15 }), async (walk) => {
      const { port } = stage.server.c2s;
      const acknowledged: SentMessage[] = [];
      const run = ++runs;
      const reader = await client(`reader${run}`, []);
      const writer = await client(`writer${run}`, acknowledged);
      await reader.begin(port);
      await writer.begin(port);
      let written = 0;
      for (const step of walk) {
        if (step.does === 'write') {
          for (let count = 0; count < step.count; count++) {
            writer.client.sends({ id: String(written++), to: reader.client.name });
          }
        } else {
          const one = step.whom === 'writer' ? writer : reader;
          await one.cut();
          if (step.does === 'begin anew') one.client.forgetsSession();
          await one.begin(port);
        }
      }
      for (const one of [writer, reader]) {
        await one.cut();
        await one.client.connects(port);
      }
      await writer.client.readsAcknowledgments();
      await reader.client.readsAll();
      for (const one of [writer, reader]) one.client.disconnects();
      expect(acknowledged.map(({ id }) => Number(id))).to.deep.equal([...Array(written).keys()]);
      expect([...new Set(reader.client.received)].map(Number)).to.deep.equal([...Array(written).keys()]);
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
