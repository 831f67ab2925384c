import { expect } from 'chai';
import fc from 'fast-check';
import { type ArmedRuleset, arm } from '../../../src/extensions/amp/rules/armed-rules.ts';
import { evaluate, standingOf } from '../../../src/extensions/amp/rules/engine.ts';
import { outcomes, type Prospect, type Situation } from '../../../src/extensions/amp/rules/situation.ts';
import { armed, balcony, future, juliet, nowMs, past, understood, words } from './cast.ts';
import { allRules } from './plan-tables.ts';

const garden = juliet.withResource('garden');
const here = { intended: juliet, hop: false, nowMs };

function prospect(deliver: Prospect['deliver']): Prospect {
  const destinations = { direct: [garden], stored: [juliet], forward: [garden], gateway: [juliet], none: [] };
  return { deliver, destinations: deliver && destinations[deliver] };
}

function receipt(deliver: Prospect['deliver'], changes: Partial<typeof here> = {}): Situation {
  return { ...here, ...changes, event: 'receipt', prospect: prospect(deliver) };
}

describe('testing the rules (N-12, N-18, N-19)', () => {
  const three = ['error deliver none', 'error deliver stored', 'notify deliver direct'];

  it('fires the first rule that is met and no other (D-3)', () => {
    expect(words(evaluate(armed(...three), receipt('direct')).rule)).to.equal('notify deliver direct');
    expect(words(evaluate(armed(...three), receipt('stored')).rule)).to.equal('error deliver stored');
  });

  it('tests in document order', () => {
    const both = ['drop match-resource any', 'notify deliver direct'];
    expect(words(evaluate(armed(...both), receipt('direct')).rule)).to.equal(both[0]);
    expect(words(evaluate(armed(...both.toReversed()), receipt('direct')).rule)).to.equal(both[1]);
  });

  it('stops after notify, too (D-3)', () => {
    const { decision, report } = evaluate(armed('notify deliver direct', 'drop deliver direct'), receipt('direct'));
    expect({ decision, report }).to.deep.equal({ decision: 'keep', report: 'after-effect' });
  });

  it('keeps the message if no rule is met', () => {
    const rules = armed('drop deliver none');
    expect(evaluate(rules, receipt('direct'))).to.deep.equal({
      rule: undefined,
      decision: 'keep',
      report: undefined,
      armed: rules,
    });
  });
});

describe('acting (D-4)', () => {
  const decisions: readonly [action: string, decision: string, report: string | undefined][] = [
    ['drop', 'stop', undefined],
    ['alert', 'stop', 'now'],
    ['error', 'stop', 'now'],
  ];
  for (const [action, decision, report] of decisions) {
    for (const outcome of outcomes) {
      it(`${action} at '${outcome}': ${decision}, report ${report} (N-31, N-32, N-33)`, () => {
        const verdict = evaluate(armed(`${action} deliver ${outcome}`), receipt(outcome));
        expect({ decision: verdict.decision, report: verdict.report }).to.deep.equal({ decision, report });
      });
    }
  }

  for (const outcome of outcomes) {
    const when = outcome === 'none' ? 'now' : 'after-effect';
    it(`notify at '${outcome}' is sent ${when}, whatever the condition (N-34)`, () => {
      for (const condition of [`deliver ${outcome}`, `expire-at ${past}`]) {
        const verdict = evaluate(armed(`notify ${condition}`), receipt(outcome));
        expect({ decision: verdict.decision, report: verdict.report }).to.deep.equal({
          decision: 'keep',
          report: when,
        });
      }
    });
  }

  it('sends no report without a receiver (D-21)', () => {
    const silent = arm({ rules: understood('alert deliver none'), perHop: false }, undefined);
    const { rule, decision, report } = evaluate(silent, receipt('none'));
    expect([words(rule), decision, report]).to.deep.equal(['alert deliver none', 'stop', undefined]);
  });
});

describe('later events (D-6)', () => {
  const kept = () => evaluate(armed('notify deliver stored', `drop expire-at ${future}`), receipt('stored'));
  const expired = { ...here, nowMs: nowMs + 1 };

  it('notifies that the message is stored, and drops it when its time comes', () => {
    expect(kept().report).to.equal('after-effect');
    const verdict = evaluate(kept().armed, { ...expired, event: 'expiry' });
    expect([words(verdict.rule), verdict.decision, verdict.report]).to.deep.equal([
      `drop expire-at ${future}`,
      'stop',
      undefined,
    ]);
  });

  it('drops at dispatch if the timer is late (D-14)', () => {
    expect(evaluate(kept().armed, { ...expired, event: 'dispatch' }).decision).to.equal('stop');
    expect(evaluate(kept().armed, { ...here, event: 'dispatch' }).decision).to.equal('keep');
  });

  it('reports expiry at once and only once; the message stays (D-13)', () => {
    const first = evaluate(armed(`notify expire-at ${future}`), { ...expired, event: 'expiry' });
    expect([first.decision, first.report]).to.deep.equal(['keep', 'now']);
    expect(evaluate(first.armed, { ...expired, event: 'dispatch' }).rule).to.equal(undefined);
  });

  it('reports a late dispatch after it has happened (D-14)', () => {
    const verdict = evaluate(armed(`notify expire-at ${future}`), { ...expired, event: 'dispatch' });
    expect([verdict.decision, verdict.report]).to.deep.equal(['keep', 'after-effect']);
  });

  it('does not test delivery again when a stored message is sent', () => {
    const rules = armed('drop deliver direct', 'drop deliver stored', 'alert match-resource any');
    for (const event of ['expiry', 'dispatch'] as const) {
      expect(evaluate(rules, { ...here, event }).rule).to.equal(undefined);
    }
  });

  it('judges a failed effect by the rules as they were: a rule that was not announced may fire again (D-5, D-35)', () => {
    const before = armed('notify deliver direct', 'notify deliver stored', 'notify deliver none');
    expect(words(evaluate(before, receipt('stored')).rule)).to.equal('notify deliver stored');
    const failed = evaluate(before, { ...here, event: 'replanned', prospect: prospect('none') });
    expect([words(failed.rule), failed.report]).to.deep.equal(['notify deliver none', 'now']);
    const elsewhere = evaluate(before, { ...here, event: 'replanned', prospect: prospect('direct') });
    expect(words(elsewhere.rule)).to.equal('notify deliver direct');
  });
});

describe('servers between the edges (N-9, N-11, N-30)', () => {
  const passing = receipt('direct', { hop: true });
  const rules = understood('alert match-resource any', 'drop deliver direct');

  it('apply no rules without per-hop', () => {
    expect(evaluate(arm({ rules, perHop: false }, 'sender'), passing).rule).to.equal(undefined);
  });

  it('apply per-hop rules with per-hop conditions (N-10)', () => {
    expect(words(evaluate(arm({ rules, perHop: true }, 'sender'), passing).rule)).to.equal('drop deliver direct');
  });

  it('leave match-resource to the edge, which applies it with and without per-hop', () => {
    const perHop = arm({ rules, perHop: true }, 'sender');
    expect(words(evaluate(perHop, receipt('direct')).rule)).to.equal('alert match-resource any');
  });

  it('show the result of each rule', () => {
    const perHop = arm({ rules, perHop: true }, 'sender');
    expect(perHop.rules.map((one) => standingOf(one, true, passing))).to.deep.equal(['foreign', 'met']);
    const { armed: after } = evaluate(perHop, receipt('direct'));
    expect(after.rules.map((one) => standingOf(one, true, receipt('stored')))).to.deep.equal(['fired', 'unmet']);
  });
});

describe('for all rules and situations', () => {
  const rulesets: fc.Arbitrary<ArmedRuleset> = fc
    .record({
      rules: fc.array(fc.constantFrom(...allRules), { maxLength: 8 }),
      fired: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      perHop: fc.boolean(),
    })
    .map(({ rules, fired, perHop }) => ({
      rules: understood(...rules).map((rule, index) => ({ rule, fired: fired[index] ?? false })),
      perHop,
      reportTo: 'sender',
    }));
  const circumstances = {
    intended: fc.constantFrom(juliet, balcony),
    hop: fc.boolean(),
    nowMs: fc.integer({ min: -2, max: 2 }).map((hours) => nowMs + hours * 3_600_000),
  };
  const situations: fc.Arbitrary<Situation> = fc.oneof(
    fc.record({
      ...circumstances,
      event: fc.constantFrom('receipt', 'replanned'),
      prospect: fc.constantFrom(...outcomes, undefined).map(prospect),
    }),
    fc.record({ ...circumstances, event: fc.constantFrom('expiry', 'dispatch') }),
  );

  it('the verdict depends only on them, and changes nothing', () => {
    fc.assert(
      fc.property(rulesets, situations, (ruleset, situation) => {
        const before = structuredClone(ruleset.rules.map(({ fired }) => fired));
        expect(evaluate(ruleset, situation)).to.deep.equal(evaluate(ruleset, situation));
        expect(ruleset.rules.map(({ fired }) => fired)).to.deep.equal(before);
      }),
    );
  });

  it('the first rule that would fire alone fires', () => {
    fc.assert(
      fc.property(rulesets, situations, (ruleset, situation) => {
        const alone = ruleset.rules.find((one) => evaluate({ ...ruleset, rules: [one] }, situation).rule);
        expect(evaluate(ruleset, situation).rule).to.equal(alone?.rule);
      }),
    );
  });

  it('only notify lets the message go on, and drop never reports', () => {
    fc.assert(
      fc.property(rulesets, situations, (ruleset, situation) => {
        const { rule, decision, report } = evaluate(ruleset, situation);
        const name = rule?.action.name;
        expect(decision).to.equal(name === undefined || name === 'notify' ? 'keep' : 'stop');
        expect(report === undefined).to.equal(name === undefined || name === 'drop');
      }),
    );
  });

  it('no rule fires twice, and only firing changes a ruleset', () => {
    fc.assert(
      fc.property(rulesets, fc.array(situations, { maxLength: 12 }), (ruleset, events) => {
        const firings = new Map(ruleset.rules.map((_, index) => [index, 0]));
        let current = ruleset;
        for (const event of events) {
          const { armed: next } = evaluate(current, event);
          next.rules.forEach(({ rule, fired }, index) => {
            expect(rule).to.equal(ruleset.rules[index]?.rule);
            if (fired && !current.rules[index]?.fired) firings.set(index, (firings.get(index) ?? 0) + 1);
            if (current.rules[index]?.fired) expect(fired).to.equal(true);
          });
          current = next;
        }
        for (const count of firings.values()) expect(count).to.be.at.most(1);
      }),
    );
  });
});
