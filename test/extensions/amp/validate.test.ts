import { expect } from 'chai';
import { Refusal } from '../../../src/extensions/amp/element/refusal.ts';
import { refusalReply } from '../../../src/extensions/amp/element/replies.ts';
import { validate } from '../../../src/extensions/amp/rules/rule.ts';
import { vocabulary } from '../../../src/extensions/amp/rules/vocabulary.ts';
import { capulet, limits, romeo, rule, ruleXml, written } from './cast.ts';
import { allRules } from './plan-tables.ts';
import { refusalXml } from './report-xml.ts';

const good = 'drop deliver stored';
const badAction = 'explode deliver stored';
const badCondition = 'drop weather rain';
const badBoth = 'explode weather rain';
const badValue = 'drop deliver somewhere';

function answer(ruleset: ReturnType<typeof written>, within = limits): string {
  const result = validate(ruleset, within);
  return result instanceof Refusal ? refusalReply(result, { by: capulet, to: romeo, id: 'm1' }).toString() : 'accepted';
}

describe('validation (N-13, N-15)', () => {
  for (const words of allRules) {
    it(`accepts ${words}`, () => {
      const result = validate(written(words), limits);
      if (result instanceof Refusal) throw new Error('refused');
      const [{ action, condition, value, written: attributes } = { written: undefined }] = result.rules;
      expect(`${action?.name} ${condition?.name} ${value}`).to.equal(words);
      expect(attributes).to.deep.equal(rule(words));
    });
  }

  type RuleFault = Parameters<typeof refusalXml>[0];
  const cases: readonly [title: string, rules: string[], fault: RuleFault, listed: string[]][] = [
    ['an unknown action (N-40)', [badAction], 'unsupported-actions', [badAction]],
    ['an unknown condition (N-40)', [badCondition], 'unsupported-conditions', [badCondition]],
    ['an invalid value (N-40)', [badValue], 'invalid-rules', [badValue]],
    ['an unknown action and condition (D-17)', [badBoth, badBoth], 'invalid-rules', [badBoth, badBoth]],
    ['an action in capitals (D-18)', ['Drop deliver stored'], 'unsupported-actions', ['Drop deliver stored']],
    ['words of objects', ['constructor deliver stored'], 'unsupported-actions', ['constructor deliver stored']],
    ['valid rules around an invalid one (N-16)', [good, badAction, good], 'unsupported-actions', [badAction]],
    [
      'several faults: the first decides, and all rules with it are listed (N-16, D-17)',
      [good, badCondition, badAction, badValue, 'alert weather sun', badBoth],
      'unsupported-conditions',
      [badCondition, 'alert weather sun'],
    ],
    [
      'several kinds of invalid rules (D-17)',
      [badValue, badAction, badBoth, 'error expire-at tomorrow'],
      'invalid-rules',
      [badValue, badBoth, 'error expire-at tomorrow'],
    ],
  ];
  for (const [title, rules, fault, listed] of cases) {
    it(`refuses ${title}`, () => {
      expect(answer(written(...rules))).to.equal(refusalXml(fault, rules.map(ruleXml), listed.map(ruleXml)));
    });
  }

  const incomplete: readonly [title: string, rule: ReturnType<typeof rule>, xml: string][] = [
    ['no action', { ...rule(good), action: undefined }, '<rule condition="deliver" value="stored"/>'],
    ['no condition', { ...rule(good), condition: undefined }, '<rule action="drop" value="stored"/>'],
    ['no value', { ...rule(good), value: undefined }, '<rule action="drop" condition="deliver"/>'],
    ['an empty value', { ...rule(good), value: '' }, '<rule action="drop" condition="deliver" value=""/>'],
    ['an empty action', { ...rule(good), action: '' }, '<rule action="" condition="deliver" value="stored"/>'],
    ['nothing at all', { action: undefined, condition: undefined, value: undefined }, '<rule/>'],
    [
      'an unknown action and no value',
      { ...rule(badAction), value: '' },
      '<rule action="explode" condition="deliver" value=""/>',
    ],
  ];
  for (const [title, faulty, xml] of incomplete) {
    it(`refuses a rule with ${title} as invalid (N-39)`, () => {
      expect(answer({ ...written(), rules: [faulty] })).to.equal(refusalXml('invalid-rules', [xml], [xml]));
    });
  }

  it('refuses rules beyond the limit as invalid (D-19)', () => {
    const rules = Array<string>(21).fill(good);
    expect(answer(written(...rules.slice(1)))).to.equal('accepted');
    expect(answer(written(...rules))).to.equal(refusalXml('invalid-rules', rules.map(ruleXml), [ruleXml(good)]));
  });

  it('does not know disabled actions and conditions (D-50)', () => {
    const within = { ...limits, vocabulary: vocabulary(new Set(['drop', 'expire-at'])) };
    const expiry = 'alert expire-at 2026-03-01T12:00:00Z';
    expect(answer(written(good), within)).to.equal(refusalXml('unsupported-actions', [ruleXml(good)], [ruleXml(good)]));
    expect(answer(written(expiry), within)).to.equal(
      refusalXml('unsupported-conditions', [ruleXml(expiry)], [ruleXml(expiry)]),
    );
  });

  it('repeats values that need escaping', () => {
    const value = `'"<&>\u00e9`;
    const xml = '<rule action="drop" condition="deliver" value="&apos;&quot;&lt;&amp;&gt;\u00e9"/>';
    expect(answer({ ...written(), rules: [{ ...rule(good), value }] })).to.equal(
      refusalXml('invalid-rules', [xml], [xml]),
    );
  });
});
