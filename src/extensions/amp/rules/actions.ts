import { ns } from '../../../protocol/namespaces.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import { type Envelope, failureReport, statusReport } from '../element/replies.ts';
import type { WrittenRule } from '../element/written-rules.ts';

/** What a rule does when it fires, with all that the definition of an action has to say (XEP-0079 §3.2). */
export interface Action {
  /** The value of the 'action' attribute. */
  readonly name: string;
  /** Its name in service discovery (XEP-0079 §2.1.1). */
  readonly feature: string;
  /** Whether the message still goes where it would have gone (XEP-0079 §2.2.3). */
  readonly continues: boolean;
  /** The message that tells of it; an action without one is silent. */
  readonly report?: (rule: WrittenRule, envelope: Envelope) => Stanza;
}

/** Discards the message and tells the sender (XEP-0079 §3.4.1). */
const alert: Action = {
  name: 'alert',
  feature: `${ns.amp}?action=alert`,
  continues: false,
  report: (rule, envelope) => statusReport('alert', rule, envelope),
};

/** Discards the message; nobody hears of it, not even by the error that would have come otherwise (XEP-0079 §3.4.2). */
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

/** Tells the sender, and lets the message go where it would have gone (XEP-0079 §3.4.4). */
const notify: Action = {
  name: 'notify',
  feature: `${ns.amp}?action=notify`,
  continues: true,
  report: (rule, envelope) => statusReport('notify', rule, envelope),
};

/** Every action. */
export const allActions: readonly Action[] = [alert, drop, error, notify];
