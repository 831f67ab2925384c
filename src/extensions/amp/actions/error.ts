import { ns } from '../../../protocol/namespaces.ts';
import type { Action } from '../action.ts';
import { failureReport } from '../replies.ts';

/** Discards the message and answers with an error that names the rule (XEP-0079 §3.4.3). */
export const error: Action = {
  name: 'error',
  feature: `${ns.amp}?action=error`,
  continues: false,
  report: failureReport,
};
