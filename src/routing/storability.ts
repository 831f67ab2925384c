import { readHints } from '../protocol/hints.ts';
import { isOnlyChatState } from '../protocol/message-kind.ts';
import type { Stanza } from '../protocol/stanza.ts';

/** What to do with a chat or normal message that no session can take: store it, answer with an error, or drop it. */
type Storability = 'keep' | 'refuse' | 'forget';

/** Decides by content alone whether a message is worth storing (XEP-0160 §3; hints by XEP-0334 §4). */
export function storabilityOf(message: Stanza): Storability {
  if (isOnlyChatState(message.payload)) return 'forget';
  if (readHints(message.payload).noStore) return 'refuse';
  return 'keep';
}
