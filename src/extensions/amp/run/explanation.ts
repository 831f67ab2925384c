import { formatDateTime } from '../../../protocol/date-time.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import type { DeliveryPlan } from '../../../routing/delivery-plan.ts';
import { type ArmedRuleset, nextDueMs } from '../rules/armed-rules.ts';
import { type Standing, standingOf } from '../rules/engine.ts';
import { judge, type Report } from '../rules/judgment.ts';
import { type Policy, policyRulesets } from '../rules/policy.ts';
import type { RulesetLimits } from '../rules/rule.ts';
import type { Outcome, Situation } from '../rules/situation.ts';
import { prospectOf } from '../rules/situation.ts';
import { type Arrival, admit } from './admission.ts';

/** One rule and its result. An `unreached` rule comes after one that fires, or after the message was stopped. */
interface RuleExplanation {
  readonly action: string;
  readonly condition: string;
  readonly value: string;
  readonly standing: 'fires' | Exclude<Standing, 'met' | 'fired'> | 'unreached';
}

/** The rules of the sender, or of the policy of that name. */
export interface RulesetExplanation {
  readonly policy?: string;
  readonly rules: readonly RuleExplanation[];
}

/** A report that would be sent, at once or when the announced effect has happened. */
interface ReportExplanation {
  readonly status: string;
  readonly to: string;
  readonly when: Report['when'];
}

/** What would happen to the message without rules. `deliver` is undefined if only another server knows. */
interface PlanExplanation {
  readonly deliver: Outcome | undefined;
  /** The addresses it would reach. */
  readonly destinations: readonly string[];
  /** The error that the sender would get. */
  readonly error?: string;
}

/** What would happen to a message now. */
export interface Explanation {
  readonly plan: PlanExplanation;
  /** The whole answer if the rules are not accepted. Then nothing else happens to the message. */
  readonly refusal?: string;
  readonly rulesets: readonly RulesetExplanation[];
  /** Whether the plan would be carried out. */
  readonly decision: 'keep' | 'stop' | 'refuse';
  readonly reports: readonly ReportExplanation[];
  /** The time at which another rule fires if the message still waits then. */
  readonly nextDueAt?: string;
}

/** The operator's settings that an explanation depends on. */
interface OperatorRules {
  readonly limits: RulesetLimits;
  readonly policies: readonly Policy[];
}

interface OwnedRuleset {
  readonly policy?: string;
  readonly armed: ArmedRuleset;
}

/** Explains what would happen to a message that arrives now with this plan, by the functions that would do it. */
export function explain(message: Stanza, arrival: Arrival, plan: DeliveryPlan, operator: OperatorRules): Explanation {
  const admission = admit(message, arrival, operator.limits);
  const planned = explainPlan(plan, arrival);
  if (admission.kind === 'refused') {
    return { plan: planned, refusal: admission.reply.toString(), rulesets: [], decision: 'refuse', reports: [] };
  }
  const owned = [...ofSender(admission.ruleset), ...ofPolicies(admission.message, arrival, operator)];
  const { recipient: intended, nowMs } = arrival;
  const prospect = prospectOf(plan, intended);
  const situation: Situation = { event: 'receipt', intended, hop: false, nowMs, prospect };
  const judgment = judge(
    owned.map(({ armed }) => armed),
    situation,
  );
  const dueMs = nextDueMs(judgment.armed);
  return {
    plan: planned,
    rulesets: explainRulesets(owned, situation),
    decision: judgment.decision,
    reports: judgment.reports.map((report) => explainReport(report, arrival)),
    ...(dueMs !== undefined && { nextDueAt: formatDateTime(dueMs) }),
  };
}

function explainPlan(plan: DeliveryPlan, { recipient }: Arrival): PlanExplanation {
  const { deliver, destinations = [] } = prospectOf(plan, recipient);
  const error = plan.kind === 'none' ? plan.error?.condition : undefined;
  return { deliver, destinations: destinations.map(String), ...(error && { error }) };
}

function ofSender(armed: ArmedRuleset | undefined): OwnedRuleset[] {
  return armed ? [{ armed }] : [];
}

function ofPolicies(message: Stanza, { nowMs }: Arrival, { limits, policies }: OperatorRules): OwnedRuleset[] {
  return policies.flatMap((policy) =>
    policyRulesets([policy], message, limits.vocabulary, nowMs).map((armed) => ({ policy: policy.name, armed })),
  );
}

/** Rulesets are evaluated one after the other, until a rule stops the message. */
function explainRulesets(owned: readonly OwnedRuleset[], situation: Situation): RulesetExplanation[] {
  let stopped = false;
  return owned.map(({ policy, armed }) => {
    let ended = stopped;
    const rules = armed.rules.map((armedRule): RuleExplanation => {
      const { action, condition, value } = armedRule.rule;
      const standing = standingOf(armedRule, armed.perHop, situation);
      const shown = ended ? 'unreached' : standing === 'met' || standing === 'fired' ? 'fires' : standing;
      if (shown === 'fires') {
        ended = true;
        stopped = !action.continues;
      }
      return { action: action.name, condition: condition.name, value, standing: shown };
    });
    return { ...(policy !== undefined && { policy }), rules };
  });
}

function explainReport({ rule, to, when }: Report, { sender }: Arrival): ReportExplanation {
  return { status: rule.action.name, to: (to === 'sender' ? sender : to).toString(), when };
}
