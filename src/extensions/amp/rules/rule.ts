import { Refusal, type RuleFault } from '../element/refusal.ts';
import type { WrittenRule, WrittenRuleset } from '../element/written-rules.ts';
import type { Action } from './actions.ts';
import type { Condition } from './conditions.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A valid rule with a known action and condition. */
export interface Rule {
  readonly action: Action;
  readonly condition: Condition;
  readonly value: string;
  /** The attributes as received: replies repeat them. */
  readonly written: WrittenRule;
}

/** Valid rules in document order, in which they are tested (XEP-0079 §2.2.3). */
export interface Ruleset {
  readonly rules: readonly Rule[];
  /** Whether servers between the two edges apply the rules as well (XEP-0079 §2.1.2). */
  readonly perHop: boolean;
}

/** The limits of a ruleset. */
export interface RulesetLimits {
  readonly vocabulary: Vocabulary;
  readonly maxRules: number;
}

/** Reads a rule, or returns its fault (XEP-0079 §2.2.1, §4.2). */
export function understand(written: WrittenRule, { actions, conditions }: Vocabulary): Rule | RuleFault {
  const { value } = written;
  if (!written.action || !written.condition || !value) return 'invalid-rules';
  const action = actions.get(written.action);
  const condition = conditions.get(written.condition);
  if (action && condition) {
    return condition.accepts(value) ? { action, condition, value, written } : 'invalid-rules';
  }
  // With both unknown, neither of the other two errors would be complete.
  if (condition) return 'unsupported-actions';
  return action ? 'unsupported-conditions' : 'invalid-rules';
}

/**
 * Reads all rules, or refuses them. An error has room for one kind of fault (RFC 6120 §8.3.2): the first faulty rule in the
 * document decides, and all rules with the same fault are listed (XEP-0079 §2.2.1).
 */
export function validate(
  { rules, perHop }: WrittenRuleset,
  { vocabulary, maxRules }: RulesetLimits,
): Ruleset | Refusal {
  const results = rules.map((rule, index) => (index < maxRules ? understand(rule, vocabulary) : 'invalid-rules'));
  const fault = results.find((result) => typeof result === 'string');
  if (fault === undefined) return { rules: results.filter((result) => typeof result !== 'string'), perHop };
  const faulty = rules.filter((_, index) => results[index] === fault);
  return Refusal.of(fault, faulty, rules);
}
