import { formatDateTime } from '../../../protocol/date-time.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import type { DeliveryPlan } from '../../../routing/delivery-plan.ts';
import { type ArmedRuleset, nextDueMs } from '../rules/armed-rules.ts';
import { type Standing, standingOf } from '../rules/engine.ts';
import { judge, type Report } from '../rules/judgement.ts';
import { type Policy, policyRulesets } from '../rules/policy.ts';
import type { RulesetLimits } from '../rules/rule.ts';
import type { Outcome, Situation } from '../rules/situation.ts';
import { prospectOf } from '../rules/situation.ts';
import { type Arrival, admit } from './admission.ts';

/** One rule and how it stands; `unreached` ones come after the one that fires, or after the end of the message. */
interface RuleExplanation {
  readonly action: string;
  readonly condition: string;
  readonly value: string;
  readonly standing: 'fires' | Exclude<Standing, 'met' | 'fired'> | 'unreached';
}

/** The rules of one party: the sender, or a policy by its name. */
export interface RulesetExplanation {
  readonly policy?: string;
  readonly rules: readonly RuleExplanation[];
}

/** That somebody would be told of a rule, at once or when what it announces has happened. */
interface ReportExplanation {
  readonly status: string;
  readonly to: string;
  readonly when: Report['when'];
}

/** What would happen to a message without rules: undefined where only another server can say. */
interface PlanExplanation {
  readonly deliver: Outcome | undefined;
  /** Where it would come to. */
  readonly destinations: readonly string[];
  /** The error that the sender would get. */
  readonly error?: string;
}

/** What would happen to a message now. */
export interface Explanation {
  readonly plan: PlanExplanation;
  /** The whole answer to a sender whose rules are not accepted; nothing else happens to such a message. */
  readonly refusal?: string;
  readonly rulesets: readonly RulesetExplanation[];
  /** Whether what has been planned would happen. */
  readonly decision: 'keep' | 'stop' | 'refuse';
  readonly reports: readonly ReportExplanation[];
  /** When time alone makes another rule fire, if the message waits till then. */
  readonly nextDueAt?: string;
}

/** The rules that count besides those of the sender. */
interface HouseRules {
  readonly limits: RulesetLimits;
  readonly policies: readonly Policy[];
}

interface OwnedRuleset {
  readonly policy?: string;
  readonly armed: ArmedRuleset;
}

/** Says what would happen to a message that arrives now and for which this is planned, by the very functions that would do it. */
export function explain(message: Stanza, arrival: Arrival, plan: DeliveryPlan, house: HouseRules): Explanation {
  const admission = admit(message, arrival, house.limits);
  const planned = explainPlan(plan, arrival);
  if (admission.kind === 'refused') {
    return { plan: planned, refusal: admission.reply.toString(), rulesets: [], decision: 'refuse', reports: [] };
  }
  const owned = [...ofSender(admission.ruleset), ...ofPolicies(admission.message, arrival, house)];
  const { recipient: intended, nowMs } = arrival;
  const prospect = prospectOf(plan, intended);
  const situation: Situation = { event: 'receipt', intended, hop: false, nowMs, prospect };
  const judgement = judge(
    owned.map(({ armed }) => armed),
    situation,
  );
  const dueMs = nextDueMs(judgement.armed);
  return {
    plan: planned,
    rulesets: explainRulesets(owned, situation),
    decision: judgement.decision,
    reports: judgement.reports.map((report) => explainReport(report, arrival)),
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

function ofPolicies(message: Stanza, { nowMs }: Arrival, { limits, policies }: HouseRules): OwnedRuleset[] {
  return policies.flatMap((policy) =>
    policyRulesets([policy], message, limits.vocabulary, nowMs).map((armed) => ({ policy: policy.name, armed })),
  );
}

/** Rulesets are walked one after the other, until a rule stops the message. */
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
