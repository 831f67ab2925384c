import type { Jid } from '../../../protocol/jid.ts';
import type { ArmedRuleset } from './armed-rules.ts';
import { evaluate, type Verdict } from './engine.ts';
import type { Rule } from './rule.ts';
import type { Situation } from './situation.ts';

/** A report to send about a rule that fired. */
export interface Report {
  readonly rule: Rule;
  readonly to: 'sender' | Jid;
  readonly when: 'now' | 'after-effect';
}

/** The result of judging a message by all its rulesets. */
export interface Judgment {
  readonly decision: 'keep' | 'stop';
  /** The rules that fired: at most one of each ruleset. */
  readonly fired: readonly Rule[];
  readonly reports: readonly Report[];
  /** The rulesets that stay armed if the planned effect succeeds. Empty if the message is stopped. */
  readonly armed: readonly ArmedRuleset[];
}

/**
 * Judges by one ruleset after the other, first the sender's, then the operator's. Each can stop a message that the earlier
 * ones let pass; none can rescue a message that an earlier one has stopped.
 */
export function judge(rulesets: readonly ArmedRuleset[], situation: Situation): Judgment {
  const verdicts: Verdict[] = [];
  for (const ruleset of rulesets) {
    const verdict = evaluate(ruleset, situation);
    verdicts.push(verdict);
    if (verdict.decision === 'stop') return stopped(verdicts);
  }
  // The case of nearly every message.
  if (verdicts.every(({ rule }) => rule === undefined))
    return { decision: 'keep', fired: [], reports: [], armed: rulesets };
  return {
    decision: 'keep',
    fired: firedBy(verdicts),
    reports: reportsOf(verdicts),
    armed: verdicts.map(({ armed }) => armed),
  };
}

/** Leaves out reports that wait for an effect: a stopped message has none. */
function stopped(verdicts: readonly Verdict[]): Judgment {
  const reports = reportsOf(verdicts).filter(({ when }) => when === 'now');
  return { decision: 'stop', fired: firedBy(verdicts), reports, armed: [] };
}

function firedBy(verdicts: readonly Verdict[]): Rule[] {
  return verdicts.flatMap(({ rule }) => rule ?? []);
}

function reportsOf(verdicts: readonly Verdict[]): Report[] {
  return verdicts.flatMap(({ rule, report, armed }) =>
    rule && report && armed.reportTo ? { rule, to: armed.reportTo, when: report } : [],
  );
}
