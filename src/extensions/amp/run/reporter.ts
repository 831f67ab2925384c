import type { Jid } from '../../../protocol/jid.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import { type AckScope, PendingWork } from '../../../routing/ack-scope.ts';
import type { Mailboxes } from '../../../routing/mailboxes.ts';
import type { MaybePromise } from '../../../routing/maybe-promise.ts';
import type { RouteOptions } from '../../../routing/passage.ts';
import type { SessionDirectory } from '../../../routing/session-directory.ts';
import type { Log } from '../../../support/log.ts';
import { lateAddress } from '../element/report-address.ts';
import type { Report } from '../rules/judgment.ts';
import type { Rule } from '../rules/rule.ts';
import type { AmpCounters } from './amp-counters.ts';
import type { Ends } from './delivered-copy.ts';
import type { ReplyLimit } from './reply-limit.ts';

/** Dependencies of reporting. */
interface ReporterDeps {
  readonly sessions: Pick<SessionDirectory, 'find'>;
  readonly mailboxes: Pick<Mailboxes, 'has'>;
  readonly isLocalDomain: (domain: string) => boolean;
  readonly route: (stanza: Stanza, options?: RouteOptions) => MaybePromise<void>;
  readonly limit: ReplyLimit;
  readonly counters: AmpCounters;
  readonly log: Log;
}

/** What reports say about their message. */
export interface Subject {
  /** The deciding domain. */
  readonly by: Jid;
  /** The verified sender. */
  readonly sender: Jid;
  readonly id: string | undefined;
  readonly ends: Ends;
}

/** Sends reports on rules that fired, counts them and writes them to the log. */
export class Reporter {
  readonly #deps: ReporterDeps;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  /** Answers a message whose rules are not accepted. */
  refuse(reply: Stanza, sender: Jid, { fromClient = false }: RouteOptions): void {
    this.#deps.counters.countRefused();
    if (this.#allows(sender)) void this.#deps.route(reply, { own: true, reply: fromClient });
  }

  /** Makes the reports that the reply limit allows. */
  compose(reports: readonly Report[], subject: Subject): Stanza[] {
    return reports.flatMap((report) => (this.#allows(addressOf(report, subject)) ? composed(report, subject) : []));
  }

  /** Sends a report to its receiver's current address. The acknowledgment of the message waits for the report, too. */
  send(report: Stanza, ackScope: AckScope | undefined): void {
    const work = ackScope?.needsAck ? new PendingWork() : undefined;
    const pending = this.#deps.route(this.addressed(report), { ackScope: work, own: true });
    if (work) ackScope?.ackAfter(Promise.resolve(pending).then(() => work.settled()));
  }

  /** The report with its receiver's current address. */
  addressed(report: Stanza): Stanza {
    const { sessions, mailboxes, isLocalDomain } = this.#deps;
    const isLocal = ({ domain }: Jid) => isLocalDomain(domain);
    const isConnected = (jid: Jid) => sessions.find(jid) !== undefined || mailboxes.has(jid);
    return report.with({ to: report.to && lateAddress(report.to, isLocal, isConnected) });
  }

  /** Counts and logs rules that have fired. */
  note(fired: readonly Rule[], { sender, id, ends }: Subject, outcome: string): void {
    for (const rule of fired) {
      const { action, condition, value } = rule;
      const words = `${action.name} ${condition.name}`;
      this.#deps.counters.countFired({
        condition: condition.name,
        action: action.name,
        value: condition.dueMs ? undefined : value,
        outcome,
      });
      const about = { from: sender.toString(), to: ends.recipient.toString(), id };
      this.#deps.log.info({ rule: `${words} ${value}`, outcome, ...about }, 'AMP rule fired');
    }
  }

  /** Reports to this server itself are not limited. */
  #allows(receiver: Jid): boolean {
    const { isLocalDomain, limit } = this.#deps;
    const allowed = (receiver.local === '' && isLocalDomain(receiver.domain)) || limit.allows(receiver);
    if (!allowed) this.#deps.counters.countHeldBack();
    return allowed;
  }
}

/** The report as a stanza, regardless of the reply limit; an empty list for an action that does not report. */
export function composed(report: Report, subject: Subject): Stanza | readonly [] {
  const { by, id, ends } = subject;
  const { action, written } = report.rule;
  return action.report?.(written, { by, to: addressOf(report, subject), id, ...ends }) ?? [];
}

function addressOf({ to }: Report, { sender }: Subject): Jid {
  return to === 'sender' ? sender : to;
}
