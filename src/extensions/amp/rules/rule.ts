import { type Offence, Refusal } from '../element/refusal.ts';
import type { WrittenRule, WrittenRuleset } from '../element/written-rules.ts';
import type { Action } from './actions.ts';
import type { Condition } from './conditions.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A rule that is understood. */
export interface Rule {
  readonly action: Action;
  readonly condition: Condition;
  readonly value: string;
  /** The attributes as they came: replies repeat them. */
  readonly written: WrittenRule;
}

/** Rules that are understood, in the order that counts (XEP-0079 §2.2.3). */
export interface Ruleset {
  readonly rules: readonly Rule[];
  /** Whether servers between the two edges apply the rules as well (XEP-0079 §2.1.2). */
  readonly perHop: boolean;
}

/** What a ruleset may say. */
export interface RulesetLimits {
  readonly vocabulary: Vocabulary;
  readonly maxRules: number;
}

/** Understands a rule, or says what is wrong with it (XEP-0079 §2.2.1, §4.2). */
export function understand(written: WrittenRule, { actions, conditions }: Vocabulary): Rule | Offence {
  const { value } = written;
  if (!written.action || !written.condition || !value) return 'invalid-rules';
  const action = actions.get(written.action);
  const condition = conditions.get(written.condition);
  if (action && condition) {
    return condition.accepts(value) ? { action, condition, value, written } : 'invalid-rules';
  }
  // With both words unknown, neither of the other two errors says what is wrong.
  if (condition) return 'unsupported-actions';
  return action ? 'unsupported-conditions' : 'invalid-rules';
}

/**
 * Understands all rules, or refuses them. An error has room for one kind of offence (RFC 6120 §8.3.2): the first one in
 * the document decides, and all rules that share it are listed (XEP-0079 §2.2.1).
 */
export function validate(
  { rules, perHop }: WrittenRuleset,
  { vocabulary, maxRules }: RulesetLimits,
): Ruleset | Refusal {
  const results = rules.map((rule, index) => (index < maxRules ? understand(rule, vocabulary) : 'invalid-rules'));
  const offence = results.find((result) => typeof result === 'string');
  if (offence === undefined) return { rules: results.filter((result) => typeof result !== 'string'), perHop };
  const offending = rules.filter((_, index) => results[index] === offence);
  return Refusal.of(offence, offending, rules);
}
