import { expect } from 'chai';
import fc from 'fast-check';
import { type ArmedRuleset, arm } from '../../../src/extensions/amp/rules/armed-rules.ts';
import { type Judgment, judge } from '../../../src/extensions/amp/rules/judgment.ts';
import { outcomes, type Situation } from '../../../src/extensions/amp/rules/situation.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { armed, juliet, nowMs, past, understood, words } from './cast.ts';
import { allRules } from './plan-tables.ts';

const watch = Jid.parse('watch@capulet.example');
const here = { intended: juliet, hop: false, nowMs };
const absent: Situation = { ...here, event: 'receipt', prospect: { deliver: 'stored', destinations: [juliet] } };

function operator(...rules: string[]): ArmedRuleset {
  return arm({ rules: understood(...rules), perHop: false }, watch);
}

function told({ reports }: Judgment): string[] {
  return reports.map(({ rule, to, when }) => `${words(rule)} to ${to}, ${when}`);
}

describe('the sender’s rules, and then the operator’s', () => {
  it('do nothing without rules', () => {
    expect(judge([], absent)).to.deep.equal({ decision: 'keep', fired: [], reports: [], armed: [] });
  });

  it('fire at most one rule of each ruleset', () => {
    const judgment = judge([armed('notify deliver stored'), operator('notify match-resource exact')], absent);
    expect(judgment.decision).to.equal('keep');
    expect(judgment.fired.map(words)).to.deep.equal(['notify deliver stored', 'notify match-resource exact']);
    expect(told(judgment)).to.deep.equal([
      'notify deliver stored to sender, after-effect',
      'notify match-resource exact to watch@capulet.example, after-effect',
    ]);
    expect(judgment.armed.map(({ rules }) => rules.map(({ fired }) => fired))).to.deep.equal([[true], [true]]);
  });

  it('do not reach the operator’s rules if the sender’s stop the message', () => {
    const judgment = judge([armed('alert deliver stored'), operator('notify deliver stored')], absent);
    expect(judgment.decision).to.equal('stop');
    expect(told(judgment)).to.deep.equal(['alert deliver stored to sender, now']);
    expect(judgment.armed).to.deep.equal([]);
  });

  it('announce no effect if the operator’s stop the message', () => {
    const judgment = judge([armed('notify deliver stored'), operator('drop deliver stored')], absent);
    expect(judgment.decision).to.equal('stop');
    expect(told(judgment)).to.deep.equal([]);
  });

  it('announce what is true although the message is stopped', () => {
    const expiry: Situation = { ...here, event: 'expiry' };
    const judgment = judge([armed(`notify expire-at ${past}`), operator(`drop expire-at ${past}`)], expiry);
    expect(told(judgment)).to.deep.equal([`notify expire-at ${past} to sender, now`]);
  });

  const rulesets = fc
    .array(fc.constantFrom(...allRules), { maxLength: 5 })
    .map((rules) => arm({ rules: understood(...rules), perHop: false }, 'sender' as const));
  const situations = fc
    .constantFrom(...outcomes)
    .map((deliver): Situation => ({ ...here, event: 'receipt', prospect: { deliver, destinations: [] } }));

  it('never rescue a message from the sender’s rules, nor suppress their reports', () => {
    fc.assert(
      fc.property(rulesets, fc.array(rulesets, { maxLength: 3 }), situations, (own, policies, situation) => {
        const alone = judge([own], situation);
        const together = judge([own, ...policies], situation);
        if (alone.decision === 'stop') expect(together).to.deep.equal(alone);
        const immediate = alone.reports.filter(({ when }) => when === 'now');
        expect(together.reports.slice(0, immediate.length)).to.deep.equal(immediate);
      }),
    );
  });
});
