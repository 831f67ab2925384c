import { childElements, nsOf } from '../../xml/element.ts';
import { escapeAttribute } from '../../xml/escape.ts';
import { type Child, Payload } from '../../xml/payload.ts';
import { withoutDelaysFrom } from '../delay.ts';
import type { Jid } from '../jid.ts';
import { ns } from '../namespaces.ts';
import { withoutStanzaIds } from '../stanza-id.ts';

/** Namespaces in which only the room speaks to occupants, or which are meant for the room alone. */
const ofTheRoom = new Set<string>([
  ns.muc,
  ns.mucUser,
  ns.occupantId,
  ns.amp,
  ns.hats,
  ns.mucAffiliations,
  ns.moderation,
  ns.legacyModeration,
]);

/**
 * The content of an occupant's stanza without what it may not say to others: passwords and rules that are meant for the room, and
 * elements that only the room may add. The ids and delays of others stay.
 */
export function reflectable(payload: Payload, room: Jid): Payload {
  const isOurs = (address: Jid) => address.bare().equals(room);
  const honest = payload.without((child) => ofTheRoom.has(child.ns) || speaksForModerators(child, payload));
  return withoutDelaysFrom(withoutStanzaIds(honest, isOurs), isOurs);
}

/** Whether an occupant says that a moderator has taken a message back (XEP-0425 §6). */
function speaksForModerators(child: Child, payload: Payload): boolean {
  if (child.ns !== ns.retraction && child.ns !== ns.fastening) return false;
  return childElements(payload.element(child)).some((inner) => ofTheRoom.has(nsOf(inner)));
}

/** The content with the id of the occupant that it comes from (XEP-0421 §3). */
export function withOccupantId(payload: Payload, id: string): Payload {
  return payload.joined(occupantIdContent(id));
}

/** The id of an occupant, as content. */
export function occupantIdContent(id: string): Payload {
  const written = `<occupant-id xmlns="${ns.occupantId}" id="${escapeAttribute(id)}"/>`;
  return Payload.ofWritten('occupant-id', ns.occupantId, written);
}
