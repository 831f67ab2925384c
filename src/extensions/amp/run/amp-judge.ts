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

/** Judges messages by the rules they carry and those the operator puts on them (XEP-0079 §2.2). */
export class AmpJudge {
  readonly #deps: AmpJudgeDeps;

  constructor(deps: AmpJudgeDeps) {
    this.#deps = deps;
  }

  /** Takes up the case of a message that has rules; all others pass at the cost of a look at the names of their children. */
  hear(passage: Passage): Hearing | 'refused' | undefined {
    const { settings, reporter, outbox, clock } = this.#deps;
    const { message, sender, options } = passage;
    if (!this.#isConcerned(message)) return undefined;
    if (this.#isOwnReport(message, sender)) return outbox.hear(passage);
    if (options.own) return undefined;
    const by = this.#deciding(passage);
    // What comes back from where it waited is as old as it was.
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
   * Takes up again the case of a message that waits for a session since before a restart: by its own rules, as they stood when it
   * came, and by the policies of today, as if they had stood then.
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

  /** What would happen to a message that came at some time and for which this is planned; nothing does. */
  explain(passage: Passage, plan: DeliveryPlan, nowMs: number): Explanation {
    const { sender, message } = passage;
    const fromClient = sender.local !== '' && this.#deps.isLocalDomain(sender.domain);
    const arrival = this.#arrival(passage, fromClient, this.#deciding(passage), nowMs);
    return explain(message, arrival, plan, this.#deps.settings);
  }

  #arrival(passage: Passage, fromClient: boolean, by: Jid, nowMs: number): Arrival {
    const { sender, recipient, options } = passage;
    // What comes back has been admitted before, and must not be lost for what has changed since.
    const mayReport = () => options.again !== undefined || this.#mayReport(passage);
    return { fromClient, sender, recipient, by, mayReport, nowMs };
  }

  #isConcerned(message: Stanza): boolean {
    return isMarked(message) || this.#deps.settings.policies.length > 0;
  }

  #isOwnReport(message: Stanza, sender: Jid): boolean {
    return this.#isServer(sender) && carriesReport(message);
  }

  /** Whether the server itself has sent something, in whatever capacity. */
  #isServer({ local, domain }: Jid): boolean {
    return local === '' && this.#deps.isLocalDomain(domain);
  }

  /** The domain that answers: the recipient's if that is one of ours, else the sender's. */
  #deciding({ sender, recipient, destination }: Passage): Jid {
    const { kind } = destination;
    const isRecipients = kind === 'account' || kind === 'server' || !this.#deps.isHosted(sender.domain);
    return Jid.parse(isRecipients ? recipient.domain : sender.domain);
  }

  /** Who is refused gets the same answer as who writes to nobody (XEP-0079 §9, XEP-0191 §3.3). */
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

/** Whether another server tells a user's resource what has become of a message. */
function isReportOfPeer({ message, sender, recipient, destination }: Passage): boolean {
  const isToUser = destination.kind === 'account' && !recipient.isBare;
  return isToUser && message.type !== 'error' && isServer(sender) && carriesReport(message);
}

/** Who has asked for a report and has gone meanwhile is found by the account, where it can be stored. */
function foundByAccount(heard: Hearing, recipient: Jid): Hearing {
  const { message } = heard;
  const moved: Ruling = { message, plan: { kind: 'forward', to: recipient.bare() } };
  return { message, judge: (plan) => (plan.kind === 'none' ? moved : heard.judge(plan)) };
}

function isMarked({ payload }: Stanza): boolean {
  for (const child of payload.children) if (child.ns === ns.amp || child.ns === ns.expire) return true;
  return false;
}
