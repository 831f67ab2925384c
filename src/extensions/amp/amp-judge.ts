import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { DeliveryPlan } from '../../routing/delivery-plan.ts';
import type { Arriving, Hearing, Oversight, Ruling } from '../../routing/extension.ts';
import type { Keepsake } from '../../routing/offline-messages.ts';
import type { Origin } from '../../routing/origin.ts';
import { maySeePresence } from '../../routing/presence-access.ts';
import type { Screens } from '../../routing/screens.ts';
import type { Clock } from '../../support/clock.ts';
import { type Arrival, admit } from './admission.ts';
import { type ArmedRuleset, nextDueMs, writeArmed } from './armed-rules.ts';
import { forwardedCopy } from './delivered-copy.ts';
import type { Expiry } from './expiry.ts';
import { type Explanation, explain } from './explanation.ts';
import { type Judgement, judge } from './judgement.ts';
import type { Outbox } from './outbox.ts';
import { policyRulesets } from './policy.ts';
import { mayHaveReports } from './privacy.ts';
import { prospectOf } from './prospect.ts';
import { carriesReport } from './report-address.ts';
import type { Reporter, Subject } from './reporter.ts';
import type { AmpSettings } from './settings.ts';

/** What judging needs from the rest of the house. */
export interface AmpJudgeParts {
  readonly settings: AmpSettings;
  readonly screens: Pick<Screens, 'refusesInbound'>;
  readonly isLocalDomain: (domain: string) => boolean;
  readonly reporter: Reporter;
  readonly outbox: Outbox;
  readonly expiry: Pick<Expiry, 'wake'>;
  readonly clock: Clock;
}

/** Judges messages by the rules they carry and those the operator puts on them (XEP-0079 §2.2). */
export class AmpJudge {
  readonly #parts: AmpJudgeParts;

  constructor(parts: AmpJudgeParts) {
    this.#parts = parts;
  }

  /** Takes up the case of a message that has rules; all others pass at the cost of a look at the names of their children. */
  hear(arriving: Arriving): Hearing | 'refused' | undefined {
    const { settings, reporter, outbox, clock } = this.#parts;
    const { message, sender, session } = arriving;
    const marked = isMarked(message);
    if (!marked && settings.policies.length === 0) return undefined;
    if (marked && this.#isServer(sender) && sender.isBare && carriesReport(message)) return outbox.hear(arriving);
    const by = this.#deciding(arriving);
    const nowMs = clock.nowMs();
    const arrival = this.#arrival(arriving, session !== undefined, by, nowMs);
    const admission = admit(message, arrival, settings.limits);
    if (admission.kind === 'refused') {
      reporter.refuse(admission.reply, sender, session);
      return 'refused';
    }
    const ofOperator = policyRulesets(settings.policies, message, settings.limits.vocabulary, nowMs);
    const rulesets = [...(admission.ruleset ? [admission.ruleset] : []), ...ofOperator];
    const subject = { by, sender, id: message.id, ends: admission.ends };
    return new Case(this.#parts, admission.message, arriving, rulesets, subject);
  }

  /**
   * Takes up again the case of a message that waits for a session since before a restart: by its own rules, as they stood when it
   * came. Those of the operator have not been kept with it.
   */
  recall(arriving: Arriving, plan: DeliveryPlan, sentAtMs: number): Oversight | undefined {
    const { message, sender } = arriving;
    if (!isMarked(message) || carriesReport(message)) return undefined;
    const by = this.#deciding(arriving);
    const arrival = { ...this.#arrival(arriving, false, by, sentAtMs), mayReport: () => true };
    const admission = admit(message, arrival, this.#parts.settings.limits);
    if (admission.kind === 'refused' || !admission.ruleset) return undefined;
    const subject = { by, sender, id: message.id, ends: admission.ends };
    return new Case(this.#parts, message, arriving, [admission.ruleset], subject).recall(plan, sentAtMs);
  }

  /** What would happen to a message that came at some time and for which this is planned; nothing does. */
  explain(arriving: Arriving, plan: DeliveryPlan, nowMs: number): Explanation {
    const { sender, message } = arriving;
    const fromClient = sender.local !== '' && this.#parts.isLocalDomain(sender.domain);
    const arrival = this.#arrival(arriving, fromClient, this.#deciding(arriving), nowMs);
    return explain(message, arrival, plan, this.#parts.settings);
  }

  #arrival(arriving: Arriving, fromClient: boolean, by: Jid, nowMs: number): Arrival {
    const { sender, recipient } = arriving;
    return { fromClient, sender, recipient, by, mayReport: () => this.#mayReport(arriving), nowMs };
  }

  /** Whether the server itself has sent something, in whatever capacity. */
  #isServer({ local, domain }: Jid): boolean {
    return local === '' && this.#parts.isLocalDomain(domain);
  }

  /** The domain that answers: the recipient's if that is one of ours, else the sender's. */
  #deciding({ sender, recipient, destination }: Arriving): Jid {
    const { kind } = destination;
    const isRecipients = kind === 'account' || kind === 'server' || !this.#parts.isLocalDomain(sender.domain);
    return Jid.parse(isRecipients ? recipient.domain : sender.domain);
  }

  /** Who is refused gets the same answer as who writes to nobody (XEP-0079 §9, XEP-0191 §3.3). */
  #mayReport({ message, sender, recipient, destination }: Arriving): boolean {
    if (destination.kind !== 'account' || this.#isServer(sender)) return true;
    const { settings, screens } = this.#parts;
    const { account } = destination;
    return mayHaveReports(
      settings.privacy,
      sender,
      recipient,
      () => account !== undefined && !screens.refusesInbound(message, account) && maySeePresence(account, sender),
    );
  }
}

function isMarked({ payload }: Stanza): boolean {
  for (const child of payload.children) if (child.ns === ns.amp || child.ns === ns.expire) return true;
  return false;
}

/** One message and its rules, from its receipt until it is delivered or stored. */
class Case implements Hearing {
  readonly message: Stanza;
  readonly #parts: AmpJudgeParts;
  readonly #arriving: Arriving;
  readonly #rulesets: readonly ArmedRuleset[];
  readonly #subject: Subject;

  constructor(
    parts: AmpJudgeParts,
    message: Stanza,
    arriving: Arriving,
    rulesets: readonly ArmedRuleset[],
    subject: Subject,
  ) {
    this.message = message;
    this.#parts = parts;
    this.#arriving = arriving;
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
    const { reporter, clock } = this.#parts;
    const judgement = this.#judgement(plan, event, clock.nowMs());
    const now = judgement.reports.filter(({ when }) => when === 'now');
    const isOver = judgement.decision === 'stop' || plan.kind === 'none';
    if (isOver) reporter.note(judgement.fired, this.#subject, judgement.decision === 'stop' ? 'stopped' : plan.kind);
    for (const report of reporter.compose(now, this.#subject)) reporter.send(report, this.#arriving.origin);
    if (judgement.decision === 'stop') return { message, plan: { kind: 'none' } };
    return isOver ? { message, plan } : { message, plan, oversight: this.#oversight(plan, judgement) };
  }

  #judgement(plan: DeliveryPlan, event: 'receipt' | 'replanned', nowMs: number): Judgement {
    const { sender, recipient, destination } = this.#arriving;
    const prospect = prospectOf(plan, recipient, this.#rulesets[0]?.perHop ?? false);
    const hop = destination.kind === 'remote' && !this.#parts.isLocalDomain(sender.domain);
    return judge(this.#rulesets, { event, prospect, intended: recipient, hop, nowMs });
  }

  /** What was decided at some time, as far as it can still be told from the plan. */
  recall(plan: DeliveryPlan, sentAtMs: number): Oversight {
    const judgement = this.#judgement(plan, 'receipt', sentAtMs);
    const undecided: Judgement = { decision: 'keep', fired: [], reports: [], armed: this.#rulesets };
    return this.#oversight(plan, judgement.decision === 'stop' ? undecided : judgement);
  }

  /** XEP-0079 §3.3.2: what has waited for a client that was away may have expired. */
  #mayLeave(armed: readonly ArmedRuleset[], origin: Origin): boolean {
    const { reporter, clock } = this.#parts;
    const intended = this.#arriving.recipient;
    const judgement = judge(armed, { event: 'dispatch', intended, hop: false, nowMs: clock.nowMs() });
    if (judgement.fired.length === 0) return true;
    reporter.note(judgement.fired, this.#subject, judgement.decision === 'stop' ? 'stopped' : 'direct');
    for (const report of reporter.compose(judgement.reports, this.#subject)) reporter.send(report, origin);
    return judgement.decision !== 'stop';
  }

  #oversight(plan: DeliveryPlan, judgement: Judgement): Oversight {
    const { reporter, outbox, expiry } = this.#parts;
    const failed = (next: DeliveryPlan) => this.#rule(next, 'replanned');
    const later = judgement.reports.filter(({ when }) => when === 'after-effect');
    const note = () => reporter.note(judgement.fired, this.#subject, plan.kind);
    if (plan.kind !== 'stored') {
      const done = () => {
        note();
        for (const report of reporter.compose(later, this.#subject)) reporter.send(report, this.#arriving.origin);
      };
      return { done, failed, mayLeave: (origin) => this.#mayLeave(judgement.armed, origin) };
    }
    const reports = reporter.compose(later, this.#subject);
    const keepsake = keepsakeOf(judgement.armed, reports);
    const done = () => {
      note();
      if (reports.length > 0) outbox.flush();
      if (keepsake.kept) expiry.wake(keepsake.kept.dueAtMs);
    };
    return { keepsake, done, failed };
  }
}

/** What is written down with a stored message: rules that time can still meet, and reports that it is stored. */
function keepsakeOf(armed: readonly ArmedRuleset[], reports: readonly Stanza[]): Keepsake {
  const dueAtMs = nextDueMs(armed);
  return {
    ...(dueAtMs !== undefined && { kept: { rules: writeArmed(armed), dueAtMs } }),
    reports: reports.map((report) => report.toBytes()),
  };
}
