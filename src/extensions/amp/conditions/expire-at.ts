import { parseUtcDateTime } from '../../../protocol/date-time.ts';
import { ns } from '../../../protocol/namespaces.ts';
import type { Condition } from '../condition.ts';

/**
 * The message would be delivered at that moment or later (XEP-0079 §3.3.2). Whatever happens after the moment is later
 * than it, so a moment that has passed is met at once, wherever the message is going.
 */
export const expireAt: Condition = {
  name: 'expire-at',
  feature: `${ns.amp}?condition=expire-at`,
  perHop: true,
  accepts: (value) => parseUtcDateTime(value) !== undefined,
  isMet: (value, { nowMs }) => nowMs >= (parseUtcDateTime(value) ?? Number.POSITIVE_INFINITY),
  dueMs: parseUtcDateTime,
};
