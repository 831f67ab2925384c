import { parseUtcDateTime } from '../../../protocol/date-time.ts';
import { flatCopy, InternCache } from '../../../protocol/intern-cache.ts';
import type { Jid } from '../../../protocol/jid.ts';
import { ns } from '../../../protocol/namespaces.ts';
import { outcomes, type Prospect, type Situation } from './situation.ts';

/** What makes a rule fire, as the definition of a condition describes it (XEP-0079 §3.1). */
export interface Condition {
  /** The value of the 'condition' attribute. */
  readonly name: string;
  /** Its name in service discovery (XEP-0079 §2.1.1). */
  readonly feature: string;
  /** Whether servers between the two edges may apply it, too (XEP-0079 §2.1.2). */
  readonly perHop: boolean;
  /** Whether a rule may have this value. */
  accepts(value: string): boolean;
  /** Whether the condition is met. `value` must be one that it accepts. */
  isMet(value: string, situation: Situation): boolean;
  /** The time, in milliseconds, from which it is met whatever else happens. Only conditions about time have this. */
  dueMs?(value: string): number | undefined;
}

const deliverValues: ReadonlySet<string> = new Set(outcomes);

/** What the server would do with the message (XEP-0079 §3.3.1). */
const deliver: Condition = {
  name: 'deliver',
  feature: `${ns.amp}?condition=deliver`,
  perHop: true,
  accepts: (value) => deliverValues.has(value),
  isMet: (value, { prospect }) => prospect?.deliver === value,
};

// The time of a rule is parsed several times for each message, and many messages have the same one.
const moments = new InternCache<number>(1024);

function momentMs(value: string): number | undefined {
  const known = moments.get(value);
  if (known !== undefined) return known;
  const timeMs = parseUtcDateTime(value);
  if (timeMs !== undefined) moments.set(flatCopy(value), timeMs);
  return timeMs;
}

/**
 * The message would be delivered at that time or later (XEP-0079 §3.3.2). A time in the past is met at once, wherever the
 * message is going.
 */
const expireAt: Condition = {
  name: 'expire-at',
  feature: `${ns.amp}?condition=expire-at`,
  perHop: true,
  accepts: (value) => momentMs(value) !== undefined,
  isMet: (value, { nowMs }) => nowMs >= (momentMs(value) ?? Number.POSITIVE_INFINITY),
  dueMs: momentMs,
};

type Match = (intended: Jid, destinations: readonly Jid[], deliver: Prospect['deliver']) => boolean;

function isExact(intended: Jid, destinations: readonly Jid[]): boolean {
  return destinations.length > 0 && destinations.every((destination) => destination.equals(intended));
}

const matches = new Map<string, Match>([
  // A stored message has not reached a resource yet.
  ['any', (_, destinations, deliver) => destinations.length > 0 && deliver !== 'stored'],
  ['exact', isExact],
  // XEP-0079 §5.1: a sender who requires one resource is told when the message does not reach it at all.
  ['other', (to, destinations) => !isExact(to, destinations) && (destinations.length > 0 || !to.isBare)],
]);

/** Compares the resource that would get the message with the intended one (XEP-0079 §3.3.3). */
const matchResource: Condition = {
  name: 'match-resource',
  feature: `${ns.amp}?condition=match-resource`,
  perHop: false,
  accepts: (value) => matches.has(value),
  isMet(value, { intended, prospect }) {
    if (!prospect?.destinations) return false;
    return matches.get(value)?.(intended, prospect.destinations, prospect.deliver) ?? false;
  },
};

/** Every condition. */
export const allConditions: readonly Condition[] = [deliver, expireAt, matchResource];
