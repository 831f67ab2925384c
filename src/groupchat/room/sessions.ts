import type { Jid } from '../../protocol/jid.ts';
import { reflectable } from '../../protocol/muc/reflection.ts';
import { priorityOf } from '../../protocol/presence.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { Payload } from '../../xml/payload.ts';
import { type Occupant, type OccupantSession, primaryOf } from './occupants.ts';

/** The most bytes of content in a presence: everybody in the room gets it. */
const maxPresenceBytes = 8 * 1024;

/** The client that has sent this presence. Throws `policy-violation` if the presence is too large. */
export function sessionWith(presence: Stanza, from: Jid, room: Jid): OccupantSession {
  return { jid: from, presence: shownPresence(presence, room), priority: priorityOf(presence) };
}

/** A presence as others see it. Throws `policy-violation` if it is too large. */
function shownPresence(presence: Stanza, room: Jid): Stanza {
  const payload = reflectable(presence.payload, room);
  if (payload.bytes.length > maxPresenceBytes) throw StanzaError.policyViolation('the presence is too large');
  return new Stanza('presence', { lang: presence.lang }, payload);
}

/** The presence with which a client leaves, as others see it. Nobody has to stay because of a presence that is too large. */
export function partingPresence(presence: Stanza, room: Jid): Stanza {
  const isLarge = presence.payload.bytes.length > maxPresenceBytes;
  return shownPresence(isLarge ? presence.with({ payload: Payload.empty }) : presence, room);
}

/** The occupant with one more client, or with the new presence of a client. */
export function withSession(occupant: Occupant, session: OccupantSession): Occupant {
  return { ...occupant, sessions: [...sessionsWithout(occupant, session.jid), session] };
}

/** The clients of an occupant without one of them. */
export function sessionsWithout({ sessions }: Occupant, jid: Jid): readonly OccupantSession[] {
  return sessions.filter((session) => !session.jid.equals(jid));
}

/** Whether others see another presence of the occupant than before. */
export function showsNews(before: Occupant, after: Occupant): boolean {
  const [was, is] = [primaryOf(before), primaryOf(after)];
  return !was.jid.equals(is.jid) || !isSamePresence(was.presence, is.presence);
}

function isSamePresence(one: Stanza, other: Stanza): boolean {
  return one.lang === other.lang && one.payload.bytes.equals(other.payload.bytes);
}
