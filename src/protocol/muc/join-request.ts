import { attribute, childNamed, type Element, textOf } from '../../xml/element.ts';
import { parseDateTime } from '../date-time.ts';
import { ns } from '../namespaces.ts';

/** How much of the discussion a newcomer wants; the least of them counts (XEP-0045 §7.2.14). */
export interface HistoryLimits {
  /** Characters of whole stanzas. */
  readonly maxChars?: number | undefined;
  readonly maxStanzas?: number | undefined;
  readonly seconds?: number | undefined;
  /** Milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
}

/** What a client writes into the presence with which it enters a room. */
interface JoinRequest {
  readonly password: string | undefined;
  readonly history: HistoryLimits;
}

/** Reads `<x xmlns='http://jabber.org/protocol/muc'/>`. Limits that make no sense count as absent. */
export function readJoinRequest(x: Element): JoinRequest {
  const password = childNamed(x, 'password', ns.muc);
  const history = childNamed(x, 'history', ns.muc);
  return { password: password && textOf(password), history: history ? readHistory(history) : {} };
}

function readHistory(history: Element): HistoryLimits {
  const count = (name: string) => {
    const text = attribute(history, name);
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  };
  const since = attribute(history, 'since');
  return {
    maxChars: count('maxchars'),
    maxStanzas: count('maxstanzas'),
    seconds: count('seconds'),
    sinceMs: since === undefined ? undefined : parseDateTime(since),
  };
}
