import type { Stanza } from '../../../protocol/stanza.ts';
import { StanzaError } from '../../../protocol/stanza-error.ts';
import type { AckScope } from '../../../routing/ack-scope.ts';
import type { DeliveryPlan } from '../../../routing/delivery-plan.ts';
import type { Hearing, Oversight, Ruling } from '../../../routing/extension.ts';
import { type MaybePromise, then } from '../../../routing/maybe-promise.ts';
import type { StoredExtras } from '../../../routing/message-store.ts';
import type { NextHop } from '../../../routing/outbound.ts';
import type { Passage } from '../../../routing/passage.ts';
import type { Clock } from '../../../support/clock.ts';
import { ampsOf, requestOf } from '../element/amp-element.ts';
import { Refusal } from '../element/refusal.ts';
import { refusalReply } from '../element/replies.ts';
import { type ArmedRuleset, nextDueMs, writeArmed } from '../rules/armed-rules.ts';
import { type Judgement, judge } from '../rules/judgement.ts';
import type { Rule } from '../rules/rule.ts';
import { prospectOf } from '../rules/situation.ts';
import type { AmpSettings } from '../settings.ts';
import { forwardedCopy, withoutRules } from './delivered-copy.ts';
import type { Expiry } from './expiry.ts';
import { asksForRules, supportsAmp } from './next-hop.ts';
import type { Outbox } from './outbox.ts';
import type { Reporter, Subject } from './reporter.ts';

/** Dependencies of a case. */
export interface CaseDeps {
  readonly settings: Pick<AmpSettings, 'unsupported'>;
  /** Whether a domain is one of ours, or that of a service of ours. */
  readonly isHosted: (domain: string) => boolean;
  readonly reporter: Reporter;
  readonly outbox: Pick<Outbox, 'flush'>;
  readonly expiry: Pick<Expiry, 'wake'>;
  readonly clock: Clock;
}

/** One message and its rules, from its receipt until it is delivered or stored. */
export class Case implements Hearing {
  readonly message: Stanza;
  readonly #deps: CaseDeps;
  readonly #passage: Passage;
  readonly #subject: Subject;
  /** What the message is judged by if it must be planned anew. */
  #rulesets: readonly ArmedRuleset[];
  /** What stays armed while the message is on its way. */
  #armed: readonly ArmedRuleset[] = [];
  /** Its end is decided, and told as far as it is: whoever asks whether it may leave asks too late. */
  #over = false;
  /** A resource has it: nothing that comes later is told any more. */
  #delivered = false;
  /** The rules were the reason why the next server was not given the message. */
  #unsupported = false;

  constructor(deps: CaseDeps, message: Stanza, passage: Passage, rulesets: readonly ArmedRuleset[], subject: Subject) {
    this.message = message;
    this.#deps = deps;
    this.#passage = passage;
    this.#rulesets = rulesets;
    this.#subject = subject;
  }

  judge(plan: DeliveryPlan): Ruling {
    return this.#rule(plan, 'receipt');
  }

  /** A plan that replaces one that failed is judged by the same rules: none of them has told anything yet. */
  #rule(plan: DeliveryPlan, event: 'receipt' | 'replanned'): Ruling {
    const message = plan.kind === 'forward' ? forwardedCopy(this.message) : this.message;
    if (this.#rulesets.length === 0) return { message, plan };
    const { reporter, clock } = this.#deps;
    const judgement = this.#judgement(plan, event, clock.nowMs());
    const now = judgement.reports.filter(({ when }) => when === 'now');
    const isOver = judgement.decision === 'stop' || plan.kind === 'none';
    if (isOver) reporter.note(judgement.fired, this.#subject, judgement.decision === 'stop' ? 'stopped' : plan.kind);
    for (const report of reporter.compose(now, this.#subject)) reporter.send(report, this.#passage.options.ackScope);
    if (judgement.decision === 'stop') return { message, plan: { kind: 'none' }, stopped: true };
    return isOver ? { message, plan } : { message, plan, oversight: this.#oversight(plan, judgement) };
  }

  #judgement(plan: DeliveryPlan, event: 'receipt' | 'replanned', nowMs: number): Judgement {
    const { sender, recipient, destination } = this.#passage;
    const prospect = prospectOf(plan, recipient);
    const hop = destination.kind === 'remote' && !this.#deps.isHosted(sender.domain);
    return judge(this.#rulesets, { event, prospect, intended: recipient, hop, nowMs });
  }

  /** What was decided at some time, as far as it can still be told from the plan. */
  recall(plan: DeliveryPlan, sentAtMs: number): Oversight {
    const judgement = this.#judgement(plan, 'receipt', sentAtMs);
    const undecided: Judgement = { decision: 'keep', fired: [], reports: [], armed: this.#rulesets };
    return this.#oversight(plan, judgement.decision === 'stop' ? undecided : judgement);
  }

  /** XEP-0079 §3.3.2: what has waited may have expired. */
  #mayLeave(ackScope: AckScope | undefined): boolean {
    if (this.#over) return false;
    const { reporter, clock } = this.#deps;
    const intended = this.#passage.recipient;
    const judgement = judge(this.#armed, { event: 'dispatch', intended, hop: false, nowMs: clock.nowMs() });
    if (judgement.fired.length === 0) return true;
    if (this.#delivered) return judgement.decision === 'keep';
    this.#armed = judgement.armed;
    // What has been told stays told, whatever becomes of the message.
    this.#rulesets = withFired(this.#rulesets, judgement.fired);
    reporter.note(judgement.fired, this.#subject, judgement.decision === 'stop' ? 'stopped' : 'direct');
    for (const report of reporter.compose(judgement.reports, this.#subject)) reporter.send(report, ackScope);
    this.#over = judgement.decision === 'stop';
    return !this.#over;
  }

  /** What is given to the next server (XEP-0079 §2.2.4), or to a component that has come. */
  #leaving(message: Stanza, hop: NextHop | undefined): MaybePromise<Stanza | undefined> {
    const knowsAmp = !hop || !asksForRules(message) || supportsAmp(hop);
    return then(knowsAmp, (known) => {
      if (!this.#mayLeave(this.#passage.options.ackScope)) return undefined;
      return known || !hop ? message : this.#withoutSupport(message, hop.domain);
    });
  }

  #withoutSupport(message: Stanza, domain: string): Stanza {
    const { policy, domains } = this.#deps.settings.unsupported;
    switch (domains.get(domain) ?? policy) {
      case 'forward':
        return message;
      case 'strip':
        return withoutRules(message);
      case 'bounce':
        this.#unsupported = true;
        throw StanzaError.serviceUnavailable();
    }
  }

  /** Plans anew. If no rule has another idea, the error for rules that the next server does not know has a form of its own. */
  #failed(next: DeliveryPlan): Ruling {
    const ruling = this.#rule(next, 'replanned');
    this.#over = ruling.oversight === undefined;
    if (!this.#unsupported || ruling.plan.kind !== 'none' || !ruling.plan.error) return ruling;
    const { sender, by, id } = this.#subject;
    const refusal = Refusal.unsupportedAhead(requestOf(ampsOf(this.message.payload))?.amp.rules ?? []);
    this.#deps.reporter.refuse(refusalReply(refusal, { by, to: sender, id }), sender, {});
    return { ...ruling, plan: { kind: 'none' } };
  }

  #oversight(plan: DeliveryPlan, judgement: Judgement): Oversight {
    const { reporter, outbox, expiry } = this.#deps;
    const failed = (next: DeliveryPlan) => this.#failed(next);
    const later = judgement.reports.filter(({ when }) => when === 'after-effect');
    const note = () => reporter.note(judgement.fired, this.#subject, plan.kind);
    this.#armed = judgement.armed;
    if (plan.kind !== 'stored') {
      const done = () => {
        note();
        this.#delivered = plan.kind === 'direct';
        // What another server has been given can still come back.
        this.#rulesets = withFired(this.#rulesets, judgement.fired);
        for (const report of reporter.compose(later, this.#subject))
          reporter.send(report, this.#passage.options.ackScope);
      };
      const leaving = (hop?: NextHop) => this.#leaving(this.message, hop);
      return { done, failed, leaving, mayLeave: (ackScope) => this.#mayLeave(ackScope) };
    }
    const reports = reporter.compose(later, this.#subject);
    const extras = keepsakeOf(judgement.armed, reports);
    const done = () => {
      note();
      if (reports.length > 0) outbox.flush();
      if (extras.kept) expiry.wake(extras.kept.dueAtMs);
    };
    return { extras, done, failed };
  }
}

/** The rulesets, with these rules spent. */
function withFired(rulesets: readonly ArmedRuleset[], spent: readonly Rule[]): readonly ArmedRuleset[] {
  return rulesets.map((ruleset) => ({
    ...ruleset,
    rules: ruleset.rules.map(({ rule, fired }) => ({ rule, fired: fired || spent.includes(rule) })),
  }));
}

/** What is written down with a stored message: rules that time can still meet, and reports that it is stored. */
function keepsakeOf(armed: readonly ArmedRuleset[], reports: readonly Stanza[]): StoredExtras {
  const dueAtMs = nextDueMs(armed);
  return {
    ...(dueAtMs !== undefined && { kept: { rules: writeArmed(armed), dueAtMs } }),
    reports: reports.map((report) => report.toBytes()),
  };
}
