import { Jid } from '../../../protocol/jid.ts';
import { ns } from '../../../protocol/namespaces.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import type { DeliveryPlan } from '../../../routing/delivery-plan.ts';
import type { Hearing, Oversight, Ruling } from '../../../routing/extension.ts';
import type { Passage } from '../../../routing/passage.ts';
import type { StanzaFilters } from '../../../routing/stanza-filters.ts';
import { maySeePresence } from '../../../routing/visibility.ts';
import { carriesReport, isServer } from '../element/report-address.ts';
import { policyRulesets } from '../rules/policy.ts';
import type { AmpSettings } from '../settings.ts';
import { type Admitted, type Arrival, admit } from './admission.ts';
import { Case, type CaseDeps } from './case.ts';
import { type Explanation, explain } from './explanation.ts';
import type { Outbox } from './outbox.ts';
import { mayHaveReports } from './privacy.ts';

/** Dependencies of judging. */
interface AmpJudgeDeps extends CaseDeps {
  readonly settings: AmpSettings;
  readonly isLocalDomain: (domain: string) => boolean;
  readonly filters: Pick<StanzaFilters, 'refusesInbound'>;
  readonly outbox: Outbox;
}

/** Judges messages by the sender's rules and the operator's policies (XEP-0079 §2.2). */
export class AmpJudge {
  readonly #deps: AmpJudgeDeps;

  constructor(deps: AmpJudgeDeps) {
    this.#deps = deps;
  }

  /** Opens the case of a message with rules. Every other message costs a look at the names of its children. */
  hear(passage: Passage): Hearing | 'refused' | undefined {
    const { settings, reporter, outbox, clock } = this.#deps;
    const { message, sender, options } = passage;
    if (!this.#isConcerned(message)) return undefined;
    if (this.#isOwnReport(message, sender)) return outbox.hear(passage);
    if (options.own) return undefined;
    const by = this.#deciding(passage);
    // The age of a redelivered message is counted from when it was first sent.
    const sentAtMs = passage.options.again?.sentAtMs ?? clock.nowMs();
    const arrival = this.#arrival(passage, options.fromClient ?? false, by, sentAtMs);
    const admission = admit(message, arrival, settings.limits);
    if (admission.kind === 'refused') {
      reporter.refuse(admission.reply, sender, options);
      return 'refused';
    }
    const heard = this.#case(passage, admission, by, sentAtMs);
    return isReportOfPeer(passage) ? foundByAccount(heard, passage.recipient) : heard;
  }

  /**
   * Reopens the case of a message that has waited for a session since before a restart. Its own rules and the current
   * policies are judged as of the time it arrived.
   */
  recall(passage: Passage, plan: DeliveryPlan, sentAtMs: number): Oversight | undefined {
    const { message, sender } = passage;
    if (!this.#isConcerned(message) || this.#isOwnReport(message, sender)) return undefined;
    const by = this.#deciding(passage);
    const arrival = { ...this.#arrival(passage, false, by, sentAtMs), mayReport: () => true };
    const admission = admit(message, arrival, this.#deps.settings.limits);
    if (admission.kind === 'refused') return undefined;
    return this.#case(passage, admission, by, sentAtMs).recall(plan, sentAtMs);
  }

  #case(passage: Passage, { message, ruleset, ends }: Admitted, by: Jid, sentAtMs: number): Case {
    const { policies, limits } = this.#deps.settings;
    const ofOperator = policyRulesets(policies, passage.message, limits.vocabulary, sentAtMs);
    const rulesets = ruleset ? [ruleset, ...ofOperator] : ofOperator;
    const { sender } = passage;
    return new Case(this.#deps, message, passage, rulesets, { by, sender, id: message.id, ends });
  }

  /** Explains what would happen to a message that arrived at `nowMs` with this plan. Has no effect. */
  explain(passage: Passage, plan: DeliveryPlan, nowMs: number): Explanation {
    const { sender, message } = passage;
    const fromClient = sender.local !== '' && this.#deps.isLocalDomain(sender.domain);
    const arrival = this.#arrival(passage, fromClient, this.#deciding(passage), nowMs);
    return explain(message, arrival, plan, this.#deps.settings);
  }

  #arrival(passage: Passage, fromClient: boolean, by: Jid, nowMs: number): Arrival {
    const { sender, recipient, options } = passage;
    // A redelivered message has been admitted before, and must not be lost because of later changes.
    const mayReport = () => options.again !== undefined || this.#mayReport(passage);
    return { fromClient, sender, recipient, by, mayReport, nowMs };
  }

  #isConcerned(message: Stanza): boolean {
    return isMarked(message) || this.#deps.settings.policies.length > 0;
  }

  #isOwnReport(message: Stanza, sender: Jid): boolean {
    return this.#isServer(sender) && carriesReport(message);
  }

  /** Whether the sender is this server, with or without a resource. */
  #isServer({ local, domain }: Jid): boolean {
    return local === '' && this.#deps.isLocalDomain(domain);
  }

  /** The domain that answers: the recipient's if this server hosts it, else the sender's. */
  #deciding({ sender, recipient, destination }: Passage): Jid {
    const { kind } = destination;
    const isRecipients = kind === 'account' || kind === 'server' || !this.#deps.isHosted(sender.domain);
    return Jid.parse(isRecipients ? recipient.domain : sender.domain);
  }

  /** A blocked sender gets the same answer as one who writes to a missing account (XEP-0079 §9, XEP-0191 §3.3). */
  #mayReport({ message, sender, recipient, destination, options }: Passage): boolean {
    if (destination.kind !== 'account' || options.byOperator || this.#isServer(sender)) return true;
    const { settings, filters } = this.#deps;
    const { account } = destination;
    return mayHaveReports(
      settings.privacy,
      sender,
      recipient,
      () => account !== undefined && !filters.refusesInbound(message, account) && maySeePresence(account, sender),
    );
  }
}

/** Whether another server sends a report to a resource of a user. */
function isReportOfPeer({ message, sender, recipient, destination }: Passage): boolean {
  const isToUser = destination.kind === 'account' && !recipient.isBare;
  return isToUser && message.type !== 'error' && isServer(sender) && carriesReport(message);
}

/** Sends a report to the account if its resource has disconnected, so that it can be stored. */
function foundByAccount(heard: Hearing, recipient: Jid): Hearing {
  const { message } = heard;
  const moved: Ruling = { message, plan: { kind: 'forward', to: recipient.bare() } };
  return { message, judge: (plan) => (plan.kind === 'none' ? moved : heard.judge(plan)) };
}

function isMarked({ payload }: Stanza): boolean {
  for (const child of payload.children) if (child.ns === ns.amp || child.ns === ns.expire) return true;
  return false;
}
