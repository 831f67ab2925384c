import { ns } from '../../../protocol/namespaces.ts';
import type { Action } from '../action.ts';

/** Discards the message; nobody hears of it, not even by the error that would have come otherwise (XEP-0079 §3.4.2). */
export const drop: Action = {
  name: 'drop',
  feature: `${ns.amp}?action=drop`,
  continues: false,
};
