import { parseUtcDateTime } from '../../../protocol/date-time.ts';
import { flatCopy, InternCache } from '../../../protocol/intern-cache.ts';
import { ns } from '../../../protocol/namespaces.ts';
import type { Condition } from '../condition.ts';

// A moment is asked about several times for every message that names it, and many messages name the same.
const moments = new InternCache<number>(1024);

function momentMs(value: string): number | undefined {
  const known = moments.get(value);
  if (known !== undefined) return known;
  const timeMs = parseUtcDateTime(value);
  if (timeMs !== undefined) moments.set(flatCopy(value), timeMs);
  return timeMs;
}

/**
 * The message would be delivered at that moment or later (XEP-0079 §3.3.2). Whatever happens after the moment is later
 * than it, so a moment that has passed is met at once, wherever the message is going.
 */
export const expireAt: Condition = {
  name: 'expire-at',
  feature: `${ns.amp}?condition=expire-at`,
  perHop: true,
  accepts: (value) => momentMs(value) !== undefined,
  isMet: (value, { nowMs }) => nowMs >= (momentMs(value) ?? Number.POSITIVE_INFINITY),
  dueMs: momentMs,
};
