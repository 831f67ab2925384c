import { Jid } from '../../../protocol/jid.ts';
import type { Rule, Ruleset } from './rule.ts';
import { understand } from './rule.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A rule on its way with a message. It fires once at most. */
export interface ArmedRule {
  readonly rule: Rule;
  readonly fired: boolean;
}

/** The rules that one party has put on a message, and whom to tell when one fires. */
export interface ArmedRuleset {
  readonly rules: readonly ArmedRule[];
  readonly perHop: boolean;
  /** Without it, nobody is told. */
  readonly reportTo: 'sender' | Jid | undefined;
}

/** Puts a ruleset on a message. */
export function arm({ rules, perHop }: Ruleset, reportTo: ArmedRuleset['reportTo']): ArmedRuleset {
  return { rules: rules.map((rule) => ({ rule, fired: false })), perHop, reportTo };
}

/** When the first of the rules that have not fired becomes due by time alone. */
export function nextDueMs(rulesets: readonly ArmedRuleset[]): number | undefined {
  const dues = rulesets
    .flatMap(({ rules }) => rules)
    .map(({ rule, fired }) => (fired ? undefined : rule.condition.dueMs?.(rule.value)))
    .filter((dueMs) => dueMs !== undefined);
  return dues.length > 0 ? Math.min(...dues) : undefined;
}

/** A ruleset as it is kept with a stored message. */
interface KeptRuleset {
  readonly rules: readonly (readonly [action: string, condition: string, value: string, fired: 0 | 1])[];
  readonly perHop?: true;
  readonly reportTo?: string;
}

/** The rulesets as text, to be kept with a stored message. */
export function writeArmed(rulesets: readonly ArmedRuleset[]): string {
  return JSON.stringify(
    rulesets.map(
      ({ rules, perHop, reportTo }): KeptRuleset => ({
        rules: rules.map(({ rule, fired }) => [rule.action.name, rule.condition.name, rule.value, fired ? 1 : 0]),
        ...(perHop && { perHop }),
        ...(reportTo && { reportTo: reportTo.toString() }),
      }),
    ),
  );
}

/** Reads what {@link writeArmed} wrote; rules whose words have been disabled since are left out. */
export function readArmed(text: string, vocabulary: Vocabulary): ArmedRuleset[] {
  const kept: readonly KeptRuleset[] = JSON.parse(text);
  return kept.map(({ rules, perHop = false, reportTo }) => ({
    rules: rules.flatMap(([action, condition, value, fired]) => {
      const rule = understand({ action, condition, value }, vocabulary);
      return typeof rule === 'string' ? [] : { rule, fired: fired === 1 };
    }),
    perHop,
    reportTo: reportTo === undefined || reportTo === 'sender' ? reportTo : Jid.parse(reportTo),
  }));
}
