import { ns } from '../../../protocol/namespaces.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import { type Envelope, failureReport, statusReport } from '../element/replies.ts';
import type { WrittenRule } from '../element/written-rules.ts';

/** What a rule does when it fires, as the definition of an action describes it (XEP-0079 §3.2). */
export interface Action {
  /** The value of the 'action' attribute. */
  readonly name: string;
  /** Its name in service discovery (XEP-0079 §2.1.1). */
  readonly feature: string;
  /** Whether the message still goes where it would have gone (XEP-0079 §2.2.3). */
  readonly continues: boolean;
  /** Makes the report on a rule that fired. An action without it sends no report. */
  readonly report?: (rule: WrittenRule, envelope: Envelope) => Stanza;
}

/** Discards the message and reports to the sender (XEP-0079 §3.4.1). */
const alert: Action = {
  name: 'alert',
  feature: `${ns.amp}?action=alert`,
  continues: false,
  report: (rule, envelope) => statusReport('alert', rule, envelope),
};

/** Discards the message without a report, and without the error the sender would get otherwise (XEP-0079 §3.4.2). */
export const drop: Action = {
  name: 'drop',
  feature: `${ns.amp}?action=drop`,
  continues: false,
};

/** Discards the message and answers with an error that names the rule (XEP-0079 §3.4.3). */
const error: Action = {
  name: 'error',
  feature: `${ns.amp}?action=error`,
  continues: false,
  report: failureReport,
};

/** Reports to the sender, and lets the message go where it would have gone (XEP-0079 §3.4.4). */
const notify: Action = {
  name: 'notify',
  feature: `${ns.amp}?action=notify`,
  continues: true,
  report: (rule, envelope) => statusReport('notify', rule, envelope),
};

/** Every action. */
export const allActions: readonly Action[] = [alert, drop, error, notify];
