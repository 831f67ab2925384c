import { ns } from '../../../protocol/namespaces.ts';
import type { Action } from '../action.ts';
import { statusReport } from '../replies.ts';

/** Discards the message and tells the sender (XEP-0079 §3.4.1). */
export const alert: Action = {
  name: 'alert',
  feature: `${ns.amp}?action=alert`,
  continues: false,
  report: (rule, envelope) => statusReport('alert', rule, envelope),
};
