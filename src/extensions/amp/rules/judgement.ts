import type { Jid } from '../../../protocol/jid.ts';
import type { ArmedRuleset } from './armed-rules.ts';
import { evaluate, type Verdict } from './engine.ts';
import type { Rule } from './rule.ts';
import type { Situation } from './situation.ts';

/** That somebody is to be told of a rule. */
export interface Report {
  readonly rule: Rule;
  readonly to: 'sender' | Jid;
  readonly when: 'now' | 'after-effect';
}

/** What all rulesets together make of a situation. */
export interface Judgement {
  readonly decision: 'keep' | 'stop';
  /** The rules that fired: at most one of each ruleset. */
  readonly fired: readonly Rule[];
  readonly reports: readonly Report[];
  /** What stays armed if the planned effect succeeds; nothing, if the message has been stopped. */
  readonly armed: readonly ArmedRuleset[];
}

/**
 * Judges by one ruleset after the other, first the sender's, then the operator's. Each can stop a message that the ones
 * before it let go on; none can save a message from those.
 */
export function judge(rulesets: readonly ArmedRuleset[], situation: Situation): Judgement {
  const verdicts: Verdict[] = [];
  for (const ruleset of rulesets) {
    const verdict = evaluate(ruleset, situation);
    verdicts.push(verdict);
    if (verdict.decision === 'stop') return stopped(verdicts);
  }
  // So it is for nearly every message.
  if (verdicts.every(({ rule }) => rule === undefined))
    return { decision: 'keep', fired: [], reports: [], armed: rulesets };
  return {
    decision: 'keep',
    fired: firedBy(verdicts),
    reports: reportsOf(verdicts),
    armed: verdicts.map(({ armed }) => armed),
  };
}

/** Reports that wait for an effect are in vain: there will be none. */
function stopped(verdicts: readonly Verdict[]): Judgement {
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
