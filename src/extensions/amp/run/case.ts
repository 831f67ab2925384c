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
import { type Judgment, judge } from '../rules/judgment.ts';
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
  /** Whether a domain is of this server or of one of its services. */
  readonly isHosted: (domain: string) => boolean;
  readonly reporter: Reporter;
  readonly outbox: Pick<Outbox, 'flush'>;
  readonly expiry: Pick<Expiry, 'wake'>;
  readonly clock: Clock;
}

/** The case of one message: its rules, from receipt until the message is delivered or stored. */
export class Case implements Hearing {
  readonly message: Stanza;
  readonly #deps: CaseDeps;
  readonly #passage: Passage;
  readonly #subject: Subject;
  /** The rulesets for judging a new plan. */
  #rulesets: readonly ArmedRuleset[];
  /** The rulesets that stay armed while the message waits to be sent. */
  #armed: readonly ArmedRuleset[] = [];
  /** The message was stopped or has failed: it may not leave any more. */
  #over = false;
  /** A resource has it: later events are not reported. */
  #delivered = false;
  /** The message was not sent because the next server does not support AMP. */
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

  /** A plan that replaces a failed one is judged by the same rules: none of them has been reported yet. */
  #rule(plan: DeliveryPlan, event: 'receipt' | 'replanned'): Ruling {
    const message = plan.kind === 'forward' ? forwardedCopy(this.message) : this.message;
    if (this.#rulesets.length === 0) return { message, plan };
    const { reporter, clock } = this.#deps;
    const judgment = this.#judgment(plan, event, clock.nowMs());
    const now = judgment.reports.filter(({ when }) => when === 'now');
    const isOver = judgment.decision === 'stop' || plan.kind === 'none';
    if (isOver) reporter.note(judgment.fired, this.#subject, judgment.decision === 'stop' ? 'stopped' : plan.kind);
    for (const report of reporter.compose(now, this.#subject)) reporter.send(report, this.#passage.options.ackScope);
    if (judgment.decision === 'stop') return { message, plan: { kind: 'none' }, stopped: true };
    return isOver ? { message, plan } : { message, plan, oversight: this.#oversight(plan, judgment) };
  }

  #judgment(plan: DeliveryPlan, event: 'receipt' | 'replanned', nowMs: number): Judgment {
    const { sender, recipient, destination } = this.#passage;
    const prospect = prospectOf(plan, recipient);
    const hop = destination.kind === 'remote' && !this.#deps.isHosted(sender.domain);
    return judge(this.#rulesets, { event, prospect, intended: recipient, hop, nowMs });
  }

  /** Restores the oversight of a message that arrived at `sentAtMs`, as far as the plan still shows what was decided. */
  recall(plan: DeliveryPlan, sentAtMs: number): Oversight {
    const judgment = this.#judgment(plan, 'receipt', sentAtMs);
    const undecided: Judgment = { decision: 'keep', fired: [], reports: [], armed: this.#rulesets };
    return this.#oversight(plan, judgment.decision === 'stop' ? undecided : judgment);
  }

  /** Whether a message that has waited may be sent, or has expired (XEP-0079 §3.3.2). */
  #mayLeave(ackScope: AckScope | undefined): boolean {
    if (this.#over) return false;
    const { reporter, clock } = this.#deps;
    const intended = this.#passage.recipient;
    const judgment = judge(this.#armed, { event: 'dispatch', intended, hop: false, nowMs: clock.nowMs() });
    if (judgment.fired.length === 0) return true;
    if (this.#delivered) return judgment.decision === 'keep';
    this.#armed = judgment.armed;
    // A report stays sent, whatever happens to the message.
    this.#rulesets = withFired(this.#rulesets, judgment.fired);
    reporter.note(judgment.fired, this.#subject, judgment.decision === 'stop' ? 'stopped' : 'direct');
    for (const report of reporter.compose(judgment.reports, this.#subject)) reporter.send(report, ackScope);
    this.#over = judgment.decision === 'stop';
    return !this.#over;
  }

  /** The message for the next server (XEP-0079 §2.2.4) or a component, undefined if it may not leave. */
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

  /** Judges a new plan. If no rule decides otherwise, a message to a server without AMP gets an error of its own form. */
  #failed(next: DeliveryPlan): Ruling {
    const ruling = this.#rule(next, 'replanned');
    this.#over = ruling.oversight === undefined;
    if (!this.#unsupported || ruling.plan.kind !== 'none' || !ruling.plan.error) return ruling;
    const { sender, by, id } = this.#subject;
    const refusal = Refusal.unsupportedAhead(requestOf(ampsOf(this.message.payload))?.amp.rules ?? []);
    this.#deps.reporter.refuse(refusalReply(refusal, { by, to: sender, id }), sender, {});
    return { ...ruling, plan: { kind: 'none' } };
  }

  #oversight(plan: DeliveryPlan, judgment: Judgment): Oversight {
    const { reporter, outbox, expiry } = this.#deps;
    const failed = (next: DeliveryPlan) => this.#failed(next);
    const later = judgment.reports.filter(({ when }) => when === 'after-effect');
    const note = () => reporter.note(judgment.fired, this.#subject, plan.kind);
    this.#armed = judgment.armed;
    if (plan.kind !== 'stored') {
      const done = () => {
        note();
        this.#delivered = plan.kind === 'direct';
        // A message sent to another server can still come back.
        this.#rulesets = withFired(this.#rulesets, judgment.fired);
        for (const report of reporter.compose(later, this.#subject))
          reporter.send(report, this.#passage.options.ackScope);
      };
      const leaving = (hop?: NextHop) => this.#leaving(this.message, hop);
      return { done, failed, leaving, mayLeave: (ackScope) => this.#mayLeave(ackScope) };
    }
    const reports = reporter.compose(later, this.#subject);
    const extras = storedExtras(judgment.armed, reports);
    const done = () => {
      note();
      if (reports.length > 0) outbox.flush();
      if (extras.kept) expiry.wake(extras.kept.dueAtMs);
    };
    return { extras, done, failed };
  }
}

/** The rulesets, with these rules marked as fired. */
function withFired(rulesets: readonly ArmedRuleset[], spent: readonly Rule[]): readonly ArmedRuleset[] {
  return rulesets.map((ruleset) => ({
    ...ruleset,
    rules: ruleset.rules.map(({ rule, fired }) => ({ rule, fired: fired || spent.includes(rule) })),
  }));
}

/** What is stored with a message: rules that time can still meet, and reports that the message is stored. */
function storedExtras(armed: readonly ArmedRuleset[], reports: readonly Stanza[]): StoredExtras {
  const dueAtMs = nextDueMs(armed);
  return {
    ...(dueAtMs !== undefined && { kept: { rules: writeArmed(armed), dueAtMs } }),
    reports: reports.map((report) => report.toBytes()),
  };
}
