import { Jid } from '../../../protocol/jid.ts';
import type { Rule, Ruleset } from './rule.ts';
import { understand } from './rule.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A rule of a message in progress. It fires at most once. */
export interface ArmedRule {
  readonly rule: Rule;
  readonly fired: boolean;
}

/** The rules of one origin, the sender or a policy, for one message, and the receiver of their reports. */
export interface ArmedRuleset {
  readonly rules: readonly ArmedRule[];
  readonly perHop: boolean;
  /** The receiver of the reports. If undefined, no reports are sent. */
  readonly reportTo: 'sender' | Jid | undefined;
}

/** Arms a ruleset for a message: none of its rules has fired. */
export function arm({ rules, perHop }: Ruleset, reportTo: ArmedRuleset['reportTo']): ArmedRuleset {
  return { rules: rules.map((rule) => ({ rule, fired: false })), perHop, reportTo };
}

/** The earliest time, in milliseconds, at which a rule that has not fired is met by time alone. */
export function nextDueMs(rulesets: readonly ArmedRuleset[]): number | undefined {
  const dues = rulesets
    .flatMap(({ rules }) => rules)
    .map(({ rule, fired }) => (fired ? undefined : rule.condition.dueMs?.(rule.value)))
    .filter((dueMs) => dueMs !== undefined);
  return dues.length > 0 ? Math.min(...dues) : undefined;
}

/** A ruleset as it is stored with a message. */
interface KeptRuleset {
  readonly rules: readonly (readonly [action: string, condition: string, value: string, fired: 0 | 1])[];
  readonly perHop?: true;
  readonly reportTo?: string;
}

/** Writes rulesets as text that is stored with a message. */
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

/** Reads the text of {@link writeArmed}. Leaves out rules whose action or condition has been disabled since. */
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
