import { rm } from 'node:fs/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { type InitialState, initialState } from './durability/walk.ts';
import { History } from './histories/history.ts';
import { historySteps } from './histories/steps.ts';

const { AMPERE_HISTORIES, AMPERE_HISTORIES_SEED } = process.env;
const histories = Number(AMPERE_HISTORIES ?? 7);
const seed = Number(AMPERE_HISTORIES_SEED ?? Date.now() % 1_000_000_007);
/** Long enough for one history on a busy machine. */
const historyMs = 20_000;

describe(`random histories (AMPERE_HISTORIES_SEED=${seed})`, function () {
  this.timeout(2 * histories * historyMs);
  let from: InitialState;
  before(async () => {
    from = await initialState();
  });
  after(() => rm(from.directory, { recursive: true, force: true }));

  it('have every message once, in one order for all devices, and nothing forged (XEP-0313)', async () => {
    let sent = 0;
    const property = fc.asyncProperty(historySteps, async (steps) => {
      const history = new History(from);
      try {
        await history.open();
        for (const step of steps) await history.takes(step);
        await history.compare();
        sent += history.sent;
        expect(history.faults.join('\n')).to.equal('');
      } finally {
        await history.end();
      }
    });
    const inTime = { interruptAfterTimeLimit: histories * historyMs, markInterruptAsFailure: true };
    await fc.assert(property, { numRuns: histories, seed, ...inTime });
    console.log(`      ${histories} histories, ${sent} messages`);
  });
});
