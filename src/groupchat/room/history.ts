import { delayElement } from '../../protocol/delay.ts';
import type { Jid } from '../../protocol/jid.ts';
import type { HistoryLimits } from '../../protocol/muc/join-request.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { xml } from '../../xml/element.ts';
import type { Announcement } from './decision.ts';
import type { ExistingRoom, HistoryEntry } from './state.ts';

/** What a newcomer gets of the discussion: as little as it or the room wants (XEP-0045 §7.2.13, §7.2.14). */
export function historyFor(room: ExistingRoom, to: Jid, limits: HistoryLimits, nowMs: number): Announcement[] {
  const { maxStanzas = Infinity, maxChars = Infinity, seconds = Infinity, sinceMs = 0 } = limits;
  const most = Math.min(maxStanzas, room.config.historyLength);
  const earliestMs = Math.max(sinceMs, nowMs - seconds * 1000);
  const chosen: Announcement[] = [];
  let chars = 0;
  for (const entry of [...room.history].reverse()) {
    if (chosen.length >= most || entry.atMs < earliestMs) break;
    const stanza = delayed(entry, room.address);
    chars += stanza.with({ to }).toString().length;
    if (chars > maxChars) break;
    chosen.push({ stanza, to: [to], posted: entry.number, isArchived: entry.isArchived });
  }
  return chosen.reverse();
}

/** The subject, which ends what a newcomer gets; it is empty if there has been none (XEP-0045 §7.2.15). */
export function subjectFor({ address, subject }: ExistingRoom, to: Jid): Announcement {
  const stanza = subject
    ? delayed(subject, address)
    : Stanza.message({ from: address, type: 'groupchat' }, xml('subject'));
  return { stanza, to: [to] };
}

/** A message of the past. */
export function delayed({ message, atMs }: Pick<HistoryEntry, 'message' | 'atMs'>, room: Jid): Stanza {
  return message.with({ payload: message.payload.with(delayElement({ from: room, stampMs: atMs })) });
}
