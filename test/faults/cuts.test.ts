import { expect } from 'chai';
import fc from 'fast-check';
import { Stage } from '../support/conversation.ts';
import { type Letter, Party } from './party.ts';

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

/** A party that reads all the time, until it is cut off. */
class Reading {
  readonly party: Party;
  #done: Promise<void> = Promise.resolve();

  constructor(party: Party) {
    this.party = party;
  }

  async begin(port: number): Promise<void> {
    await this.party.arrives(port);
    this.#done = this.party.reads(() => undefined);
  }

  async cut(): Promise<void> {
    this.party.leaves();
    await this.#done;
  }
}

describe('lines that are cut at any moment (XEP-0198 §5)', () => {
  const stage = new Stage({ settings: { limits: { disabled: true }, tls: { required: false } } });
  let runs = 0;

  async function party(name: string, acknowledged: Letter[]): Promise<Reading> {
    await stage.server.addUser(`${name}@localhost`, `${name}-password`);
    const notices = { acknowledged: (letters: readonly Letter[]) => void acknowledged.push(...letters) };
    return new Reading(new Party(name, true, notices));
  }

  it('lose nothing acknowledged, keep the order, and repeat only whole messages', async () => {
    const property = fc.asyncProperty(fc.array(steps, { minLength: 3, maxLength: 15 }), async (walk) => {
      const { port } = stage.server.c2s;
      const acknowledged: Letter[] = [];
      const run = ++runs;
      const reader = await party(`reader${run}`, []);
      const writer = await party(`writer${run}`, acknowledged);
      await reader.begin(port);
      await writer.begin(port);
      let written = 0;
      for (const step of walk) {
        if (step.does === 'write') {
          for (let count = 0; count < step.count; count++) {
            writer.party.writes({ id: String(written++), to: reader.party.name });
          }
        } else {
          const one = step.whom === 'writer' ? writer : reader;
          await one.cut();
          if (step.does === 'begin anew') one.party.forgets();
          await one.begin(port);
        }
      }
      for (const one of [writer, reader]) {
        await one.cut();
        await one.party.arrives(port);
      }
      await writer.party.readsAcknowledgments();
      await reader.party.empties();
      for (const one of [writer, reader]) one.party.leaves();
      expect(acknowledged.map(({ id }) => Number(id))).to.deep.equal([...Array(written).keys()]);
      expect([...new Set(reader.party.received)].map(Number)).to.deep.equal([...Array(written).keys()]);
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
