import { expect } from 'chai';
import fc from 'fast-check';
import {
  type ArmedRuleset,
  arm,
  nextDueMs,
  readArmed,
  writeArmed,
} from '../../../src/extensions/amp/rules/armed-rules.ts';
import { vocabulary } from '../../../src/extensions/amp/rules/vocabulary.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { armed, everything, future, nowMs, past, understood } from './cast.ts';
import { allRules } from './plan-tables.ts';

const watch = Jid.parse('watch@capulet.example');

describe('rules in store (D-13)', () => {
  const rulesets: fc.Arbitrary<ArmedRuleset> = fc
    .record({
      rules: fc.array(fc.tuple(fc.constantFrom(...allRules), fc.boolean()), { maxLength: 5 }),
      perHop: fc.boolean(),
      reportTo: fc.constantFrom('sender' as const, watch, undefined),
    })
    .map(({ rules, perHop, reportTo }) => ({
      rules: understood(...rules.map(([words]) => words)).map((rule, index) => ({
        rule,
        fired: rules[index]?.[1] ?? false,
      })),
      perHop,
      reportTo,
    }));

  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(rulesets, { maxLength: 3 }), (kept) => {
        expect(readArmed(writeArmed(kept), everything)).to.deep.equal(kept);
      }),
    );
  });

  it('are short', () => {
    expect(writeArmed([armed('notify deliver stored', `drop expire-at ${future}`)])).to.equal(
      '[{"rules":[["notify","deliver","stored",0],["drop","expire-at","2026-03-01T12:00:00.001Z",0]],"reportTo":"sender"}]',
    );
  });

  it('are left out if their action or condition has been disabled since', () => {
    const kept = writeArmed([armed('notify deliver stored', `drop expire-at ${future}`)]);
    const [ruleset] = readArmed(kept, vocabulary(new Set(['notify'])));
    expect(ruleset?.rules.map(({ rule }) => rule.action.name)).to.deep.equal(['drop']);
  });

  it('are due at the earliest time of a rule that has not fired (D-13)', () => {
    const afar = '9999-12-31T23:59:59Z';
    const late = armed(`drop expire-at ${afar}`, `drop expire-at ${future}`, 'drop deliver none');
    expect(nextDueMs([late])).to.equal(nowMs + 1);
    const [expired] = understood(`notify expire-at ${past}`);
    if (!expired) throw new Error('no rule');
    const fired: ArmedRuleset = { rules: [{ rule: expired, fired: true }], perHop: false, reportTo: 'sender' };
    expect(nextDueMs([fired, armed(`drop expire-at ${afar}`)])).to.equal(Date.parse(afar));
    expect(nextDueMs([fired, arm({ rules: [], perHop: false }, watch)])).to.equal(undefined);
  });
});
