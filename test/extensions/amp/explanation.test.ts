import { expect } from 'chai';
import type { Policy } from '../../../src/extensions/amp/rules/policy.ts';
import { explain, type RulesetExplanation } from '../../../src/extensions/amp/run/explanation.ts';
import { StanzaError } from '../../../src/protocol/stanza-error.ts';
import type { DeliveryPlan } from '../../../src/routing/delivery-plan.ts';
import { ampXml, capulet, future, juliet, limits, message, nowMs, past, romeo, rule, sessionsOf } from './cast.ts';

const stored: DeliveryPlan = { kind: 'stored', owner: juliet };

interface Case {
  readonly rules?: readonly string[];
  readonly plan?: DeliveryPlan;
  readonly policies?: readonly Policy[];
  readonly mayReport?: boolean;
}

function explained({ rules = [], plan = stored, policies = [], mayReport = true }: Case) {
  const passage = {
    fromClient: true,
    sender: romeo,
    recipient: juliet,
    by: capulet,
    mayReport: () => mayReport,
    nowMs,
  };
  const content = rules.length > 0 ? ampXml(rules) : '<body>hello</body>';
  return explain(message(content), passage, plan, { limits, policies });
}

const standings = ({ rules }: RulesetExplanation) => rules.map(({ standing }) => standing);

describe('explaining what would happen to a message (XEP-0079 §2.2)', () => {
  it('shows the plan, and that it would be carried out', () => {
    expect(explained({})).to.deep.equal({
      plan: { deliver: 'stored', destinations: ['juliet@capulet.example'] },
      rulesets: [],
      decision: 'keep',
      reports: [],
    });
  });

  it('shows the destinations of a message, or the error for its sender', () => {
    const sessions = sessionsOf({ balcony: 1, chamber: 1 });
    expect(explained({ plan: { kind: 'direct', sessions } }).plan).to.deep.equal({
      deliver: 'direct',
      destinations: ['juliet@capulet.example/balcony', 'juliet@capulet.example/chamber'],
    });
    expect(explained({ plan: { kind: 'none', error: StanzaError.serviceUnavailable() } }).plan).to.deep.equal({
      deliver: 'none',
      destinations: [],
      error: 'service-unavailable',
    });
    expect(explained({ plan: { kind: 'remote', domain: 'x.example' } }).plan).to.deep.equal({
      deliver: undefined,
      destinations: [],
    });
  });

  it('shows every rule and its result', () => {
    const rules = [
      'drop deliver direct',
      'notify deliver stored',
      'alert match-resource exact',
      `drop expire-at ${future}`,
    ];
    const { rulesets, decision, reports, nextDueAt } = explained({ rules });
    expect(rulesets.map(standings)).to.deep.equal([['unmet', 'fires', 'unreached', 'unreached']]);
    expect(rulesets[0]?.rules[1]).to.deep.equal({ ...rule('notify deliver stored'), standing: 'fires' });
    expect(decision).to.equal('keep');
    expect(reports).to.deep.equal([{ status: 'notify', to: romeo.toString(), when: 'after-effect' }]);
    expect(Date.parse(nextDueAt ?? '')).to.equal(Date.parse(future));
  });

  it('shows a message that is stopped', () => {
    const { decision, reports } = explained({ rules: [`alert expire-at ${past}`] });
    expect(decision).to.equal('stop');
    expect(reports).to.deep.equal([{ status: 'alert', to: romeo.toString(), when: 'now' }]);
  });

  it('shows the operator’s policies, unreached if the sender’s rules stop the message', () => {
    const policies: Policy[] = [
      { name: 'watch', match: {}, rules: [rule('notify deliver stored')], reportTo: capulet },
      { name: 'no store', match: {}, rules: [rule('drop deliver stored'), rule('drop deliver none')] },
      { name: 'others', match: { to: new Set(['elsewhere.example']) }, rules: [rule('drop deliver stored')] },
    ];
    const { rulesets, decision } = explained({ rules: ['notify deliver stored'], policies });
    expect(rulesets.map(({ policy }) => policy)).to.deep.equal([undefined, 'watch', 'no store']);
    expect(rulesets.map(standings)).to.deep.equal([['fires'], ['fires'], ['fires', 'unreached']]);
    expect(decision).to.equal('stop');
    const early = explained({ rules: ['drop deliver stored'], policies });
    expect(early.rulesets.map(standings)).to.deep.equal([['fires'], ['unreached'], ['unreached', 'unreached']]);
  });

  it('shows the refusal of rules that are not accepted, and nothing else', () => {
    const { decision, refusal, rulesets } = explained({ rules: ['notify deliver direct'], mayReport: false });
    expect(decision).to.equal('refuse');
    expect(refusal).to.match(/<not-acceptable .*<invalid-rules /);
    expect(rulesets).to.deep.equal([]);
  });
});
