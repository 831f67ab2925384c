import { parseUtcDateTime } from '../../../protocol/date-time.ts';
import { flatCopy, InternCache } from '../../../protocol/intern-cache.ts';
import type { Jid } from '../../../protocol/jid.ts';
import { ns } from '../../../protocol/namespaces.ts';
import { outcomes, type Prospect, type Situation } from './situation.ts';

/** What can make a rule fire, with all that the definition of a condition has to say (XEP-0079 §3.1). */
export interface Condition {
  /** The value of the 'condition' attribute. */
  readonly name: string;
  /** Its name in service discovery (XEP-0079 §2.1.1). */
  readonly feature: string;
  /** Whether servers between the two edges may apply it too (XEP-0079 §2.1.2). */
  readonly perHop: boolean;
  /** Whether a rule may have this value. */
  accepts(value: string): boolean;
  /** Whether the condition is met, for a value that it accepts. */
  isMet(value: string, situation: Situation): boolean;
  /** When time alone makes it met; only for conditions of time. */
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
  // What waits in store has come to no resource yet.
  ['any', (_, destinations, deliver) => destinations.length > 0 && deliver !== 'stored'],
  ['exact', isExact],
  // XEP-0079 §5.1: a sender who insists on one resource hears of it when the message does not get there at all.
  ['other', (to, destinations) => !isExact(to, destinations) && (destinations.length > 0 || !to.isBare)],
]);

/** How the resource that would get the message compares with the one it was meant for (XEP-0079 §3.3.3). */
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
