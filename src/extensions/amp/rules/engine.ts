import type { ArmedRule, ArmedRuleset } from './armed-rules.ts';
import type { Rule } from './rule.ts';
import type { Situation } from './situation.ts';

/** The result of testing one rule. A `foreign` rule does not apply at a server between the edges. */
export type Standing = 'met' | 'unmet' | 'fired' | 'foreign';

/** The result of evaluating one ruleset. */
export interface Verdict {
  /** The rule that fired. */
  readonly rule: Rule | undefined;
  /** Whether the message goes where it would have gone, or is stopped. */
  readonly decision: 'keep' | 'stop';
  /** When the report may be sent. A report that announces an effect must wait for that effect. */
  readonly report: 'now' | 'after-effect' | undefined;
  /**
   * The ruleset for later events, valid once the planned effect has succeeded. If the effect fails, no rule has been
   * announced: the next plan is judged by the ruleset as it was before.
   */
  readonly armed: ArmedRuleset;
}

/** Tests one rule of a ruleset. */
export function standingOf({ rule, fired }: ArmedRule, perHop: boolean, situation: Situation): Standing {
  if (fired) return 'fired';
  if (situation.hop && !(perHop && rule.condition.perHop)) return 'foreign';
  return rule.condition.isMet(rule.value, perHop ? atHop(situation) : situation) ? 'met' : 'unmet';
}

/** Per-hop rules treat passing a message on as 'direct'; for other rules only the recipient's server knows the outcome. */
function atHop(situation: Situation): Situation {
  if (!situation.prospect?.passedOn) return situation;
  return { ...situation, prospect: { ...situation.prospect, deliver: 'direct' } };
}

/** Tests the rules in order. The first one that is met fires, and the rest are not tested (XEP-0079 §2.2.3). */
export function evaluate(armed: ArmedRuleset, situation: Situation): Verdict {
  const met = armed.rules.find((rule) => standingOf(rule, armed.perHop, situation) === 'met');
  if (!met) return { rule: undefined, decision: 'keep', report: undefined, armed };
  const { action } = met.rule;
  const told = action.report !== undefined && armed.reportTo !== undefined;
  const when = action.continues && hasEffect(situation) ? 'after-effect' : 'now';
  return {
    rule: met.rule,
    decision: action.continues ? 'keep' : 'stop',
    report: told ? when : undefined,
    armed: { ...armed, rules: armed.rules.map((rule) => (rule === met ? { ...rule, fired: true } : rule)) },
  };
}

/** Whether the plan has an effect to wait for: not if the message has no destination, nor if it only stays in store. */
function hasEffect({ event, prospect }: Situation): boolean {
  return event !== 'expiry' && prospect?.deliver !== 'none';
}
