import type { ArmedRule, ArmedRuleset } from './armed-rules.ts';
import type { Rule } from './rule.ts';
import type { Situation } from './situation.ts';

/** How a rule stands in a situation: `foreign` ones are not for a server between the edges to apply. */
export type Standing = 'met' | 'unmet' | 'fired' | 'foreign';

/** What a ruleset makes of a situation. */
export interface Verdict {
  /** The rule that fired. */
  readonly rule: Rule | undefined;
  /** Whether the message goes where it would have gone, or no further. */
  readonly decision: 'keep' | 'stop';
  /** When the report on the rule may leave. One that announces an effect must wait until there has been one. */
  readonly report: 'now' | 'after-effect' | undefined;
  /**
   * The ruleset for what comes later, to be taken over once the planned effect has succeeded. Should it fail, nothing has
   * been announced: the situation is judged anew by the ruleset as it was.
   */
  readonly armed: ArmedRuleset;
}

/** How one rule of a ruleset stands. */
export function standingOf({ rule, fired }: ArmedRule, perHop: boolean, situation: Situation): Standing {
  if (fired) return 'fired';
  if (situation.hop && !(perHop && rule.condition.perHop)) return 'foreign';
  return rule.condition.isMet(rule.value, perHop ? atHop(situation) : situation) ? 'met' : 'unmet';
}

/** To rules for every server on the way, passing a message on is already 'direct'; to others, only the last one can say. */
function atHop(situation: Situation): Situation {
  if (!situation.prospect?.passedOn) return situation;
  return { ...situation, prospect: { ...situation.prospect, deliver: 'direct' } };
}

/** Walks the rules in order until one is met; that one fires, and no other is looked at (XEP-0079 §2.2.3). */
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

/** Whether the message is about to arrive anywhere: not if there is nowhere to go, nor if it only goes on waiting. */
function hasEffect({ event, prospect }: Situation): boolean {
  return event !== 'expiry' && prospect?.deliver !== 'none';
}
