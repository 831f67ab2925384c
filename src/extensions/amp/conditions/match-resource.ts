import type { Jid } from '../../../protocol/jid.ts';
import { ns } from '../../../protocol/namespaces.ts';
import type { Condition } from '../condition.ts';
import type { Prospect } from '../situation.ts';

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
export const matchResource: Condition = {
  name: 'match-resource',
  feature: `${ns.amp}?condition=match-resource`,
  perHop: false,
  accepts: (value) => matches.has(value),
  isMet(value, { intended, prospect }) {
    if (!prospect?.destinations) return false;
    return matches.get(value)?.(intended, prospect.destinations, prospect.deliver) ?? false;
  },
};
