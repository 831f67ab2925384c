import { formatDateTime } from '../../../protocol/date-time.ts';
import { ns } from '../../../protocol/namespaces.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import { attribute } from '../../../xml/element.ts';
import type { WrittenRule } from './written-rules.ts';

/** A century, in seconds. Messages with a longer lifetime do not expire. */
const longestSeconds = 3_155_760_000;

/** The rule that is equivalent to the `jabber:x:expire` of a message, which expires so many seconds from now (XEP-0023 §2). */
export function legacyExpiry({ type, payload }: Stanza, nowMs: number): WrittenRule | undefined {
  if (type === 'error') return undefined;
  const child = payload.find('x', ns.expire);
  const text = child && attribute(payload.element(child), 'seconds');
  if (!text || !/^\d{1,10}$/.test(text)) return undefined;
  const seconds = Number(text);
  if (seconds > longestSeconds) return undefined;
  return { action: 'drop', condition: 'expire-at', value: formatDateTime(nowMs + seconds * 1000) };
}
