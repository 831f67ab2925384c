import { rm } from 'node:fs/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Setting, type Step, setting, story } from './durability/steps.ts';
import { type Beginning, beginning, World } from './durability/world.ts';

const { AMPERE_DURABILITY_WALKS, AMPERE_DURABILITY_SEED } = process.env;
const walks = Number(AMPERE_DURABILITY_WALKS ?? 100);
const seed = Number(AMPERE_DURABILITY_SEED ?? Date.now() % 1_000_000_007);
/** Long enough for one walk on a machine that has other things to do. */
const walkMs = 10_000;

describe(`nothing acknowledged is ever lost (AMPERE_DURABILITY_SEED=${seed})`, function () {
  this.timeout(2 * walks * walkMs);
  let from: Beginning;
  before(async () => {
    from = await beginning();
  });
  after(() => rm(from.directory, { recursive: true, force: true }));

  const figures = { acknowledged: 0, crashes: 0 };

  async function walk(given: Setting, steps: readonly Step[]): Promise<string> {
    const world = new World(from, given);
    try {
      await world.open();
      for (const step of steps) await world.does(step);
      await world.reckons();
      figures.acknowledged += world.ledger.acknowledged.size;
      figures.crashes += steps.filter(({ does }) => does === 'crash').length;
      return world.verdict().join('\n');
    } finally {
      await world.end();
    }
  }

  it('whoever comes and goes, whatever the disk does, whenever the server dies', async () => {
    const property = fc.asyncProperty(setting, story, async (given, steps) => {
      expect(await walk(given, steps)).to.equal('');
    });
    const inTime = { interruptAfterTimeLimit: walks * walkMs, markInterruptAsFailure: true };
    await fc.assert(property, { numRuns: walks, seed, ...inTime });
    console.log(`      ${walks} walks, ${figures.crashes} crashes: ${figures.acknowledged} acknowledged, 0 lost`);
  });
});
