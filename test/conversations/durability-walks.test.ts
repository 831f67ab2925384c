import { rm } from 'node:fs/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Setting, type Step, setting, walkSteps } from './durability/steps.ts';
import { type InitialState, initialState, Walk } from './durability/walk.ts';

const { AMPERE_DURABILITY_WALKS, AMPERE_DURABILITY_SEED } = process.env;
const walks = Number(AMPERE_DURABILITY_WALKS ?? 35);
const seed = Number(AMPERE_DURABILITY_SEED ?? Date.now() % 1_000_000_007);
/** Long enough for one walk on a busy machine. */
const walkMs = 10_000;

describe(`random walks: nothing acknowledged is lost (AMPERE_DURABILITY_SEED=${seed})`, function () {
  this.timeout(2 * walks * walkMs);
  let from: InitialState;
  before(async () => {
    from = await initialState();
  });
  after(() => rm(from.directory, { recursive: true, force: true }));

  const figures = { acknowledged: 0, crashes: 0 };

  async function walk(given: Setting, steps: readonly Step[]): Promise<string> {
    const run = new Walk(from, given);
    try {
      await run.open();
      for (const step of steps) await run.takes(step);
      await run.finishes();
      figures.acknowledged += run.ledger.acknowledged.size;
      figures.crashes += steps.filter(({ does }) => does === 'crash').length;
      return run.failures().join('\n');
    } finally {
      await run.end();
    }
  }

  it('whatever clients and the disk do, and whenever the server crashes', async () => {
    const property = fc.asyncProperty(setting, walkSteps, async (given, steps) => {
      expect(await walk(given, steps)).to.equal('');
    });
    const inTime = { interruptAfterTimeLimit: walks * walkMs, markInterruptAsFailure: true };
    await fc.assert(property, { numRuns: walks, seed, ...inTime });
    console.log(`      ${walks} walks, ${figures.crashes} crashes: ${figures.acknowledged} acknowledged, 0 lost`);
  });
});
