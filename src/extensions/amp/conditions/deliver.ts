import { ns } from '../../../protocol/namespaces.ts';
import type { Condition } from '../condition.ts';
import { outcomes } from '../situation.ts';

const values: ReadonlySet<string> = new Set(outcomes);

/** What the server would do with the message (XEP-0079 §3.3.1). */
export const deliver: Condition = {
  name: 'deliver',
  feature: `${ns.amp}?condition=deliver`,
  perHop: true,
  accepts: (value) => values.has(value),
  isMet: (value, { prospect }) => prospect?.deliver === value,
};
