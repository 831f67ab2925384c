import { readHints } from '../protocol/hints.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';

/** What may become of a chat or normal message nobody is there to take: store it, answer with an error, or forget it. */
type Storability = 'keep' | 'refuse' | 'forget';

/** Children that alone make no message worth keeping (XEP-0160 §3, XEP-0085 §5.6); rules are about the rest of it. */
const passing = new Set<string>([ns.chatStates, ns.hints, ns.amp]);

/** Decides by content alone whether a message is worth storing (XEP-0160 §3; hints by XEP-0334 §4). */
export function storabilityOf(message: Stanza): Storability {
  if (isOnlyChatState(message)) return 'forget';
  if (readHints(message.payload).noStore) return 'refuse';
  return 'keep';
}

function isOnlyChatState(message: Stanza): boolean {
  const { children } = message.payload;
  if (!children.some((child) => child.ns === ns.chatStates)) return false;
  return children.every((child) => passing.has(child.ns) || (child.name === 'thread' && child.ns === ns.client));
}
