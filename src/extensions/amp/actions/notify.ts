import { ns } from '../../../protocol/namespaces.ts';
import type { Action } from '../action.ts';
import { statusReport } from '../replies.ts';

/** Tells the sender, and lets the message go where it would have gone (XEP-0079 §3.4.4). */
export const notify: Action = {
  name: 'notify',
  feature: `${ns.amp}?action=notify`,
  continues: true,
  report: (rule, envelope) => statusReport('notify', rule, envelope),
};
