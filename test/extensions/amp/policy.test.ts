import { expect } from 'chai';
import { faultyRule, type Policy, type PolicyMatch, policyRulesets } from '../../../src/extensions/amp/rules/policy.ts';
import { vocabulary } from '../../../src/extensions/amp/rules/vocabulary.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { everything, juliet, message, nowMs, romeo, rule, words } from './cast.ts';

const watch = Jid.parse('watch@capulet.example');
const drop = rule('drop deliver stored');

function policy(match: PolicyMatch, rules: Policy['rules'] = [drop]): Policy {
  return { name: 'p', match, rules };
}

function matches(match: PolicyMatch, content = '<body>a</body>', type = 'chat'): boolean {
  const sent = message(content, `type='${type}'`).with({ from: romeo, to: juliet });
  return policyRulesets([policy(match)], sent, everything, nowMs).length > 0;
}

describe('which messages a policy is for', () => {
  const set = (...texts: string[]) => new Set(texts);
  const cases: readonly [title: string, boolean, PolicyMatch, content?: string | undefined, type?: string][] = [
    ['nothing in particular', true, {}],
    ['the sender’s domain', true, { from: set('montague.example') }],
    ['the sender’s account', true, { from: set('x.example', 'romeo@montague.example') }],
    ['the sender’s resource', true, { from: set('romeo@montague.example/orchard') }],
    ['another resource', false, { from: set('romeo@montague.example/street') }],
    ['another domain', false, { from: set('capulet.example') }],
    ['nobody', false, { from: set() }],
    ['the recipient', true, { to: set('juliet@capulet.example') }],
    ['another recipient', false, { to: set('nurse@capulet.example') }],
    ['sender and another recipient', false, { from: set('montague.example'), to: set('nurse@capulet.example') }],
    ['the type', true, { types: new Set(['chat']) }],
    ['another type', false, { types: new Set(['headline']) }],
    ['an unknown type, which is normal', true, { types: new Set(['normal']) }, undefined, 'new'],
    ['errors', false, { types: new Set(['error']) }, undefined, 'error'],
    ['any type, but errors are never judged', false, {}, undefined, 'error'],
    ['a body', true, { hasBody: true }],
    ['a body that is not there', false, { hasBody: true }, '<thread/>'],
    ['no body', true, { hasBody: false }, '<thread/>'],
    ['no body, but there is one', false, { hasBody: false }],
    ['a namespace', true, { namespace: 'urn:x' }, "<x xmlns='urn:x'/>"],
    ['another namespace', false, { namespace: 'urn:x' }, "<body><x xmlns='urn:x'/></body>"],
  ];
  for (const [title, matched, match, content, type] of cases) {
    it(`${title}: ${matched ? 'for it' : 'not for it'}`, () => expect(matches(match, content, type)).to.equal(matched));
  }
});

describe('what a policy puts on a message', () => {
  const sent = message('<body>a</body>').with({ from: romeo, to: juliet });

  it('its rules, each policy apart, and who is told', () => {
    const policies = [policy({}), { ...policy({}, [rule('alert deliver none'), drop]), reportTo: watch }];
    const rulesets = policyRulesets(policies, sent, everything, nowMs);
    const seen = rulesets.map(({ rules, reportTo }) => [rules.map(({ rule }) => words(rule)), reportTo]);
    expect(seen).to.deep.equal([
      [['drop deliver stored'], undefined],
      [['alert deliver none', 'drop deliver stored'], watch],
    ]);
  });

  it('an age becomes a moment when the message comes', () => {
    const [ruleset] = policyRulesets([policy({}, [{ action: 'drop', maxAgeMs: 600_000 }])], sent, everything, nowMs);
    expect(ruleset?.rules.map(({ rule }) => words(rule))).to.deep.equal(['drop expire-at 2026-03-01T12:10:00Z']);
  });

  it('a rule that is not understood is found before it does nothing', () => {
    const bad = rule('explode deliver stored');
    expect(faultyRule(policy({}, [drop, bad]), everything)).to.equal(bad);
    expect(faultyRule(policy({}, [drop, { action: 'notify', maxAgeMs: 1 }]), everything)).to.equal(undefined);
    expect(faultyRule(policy({}, [drop]), vocabulary(new Set(['deliver'])))).to.equal(drop);
  });
});
