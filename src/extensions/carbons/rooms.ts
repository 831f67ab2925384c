import type { Jid } from '../../protocol/jid.ts';
import { hasKind } from '../../protocol/message-kind.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { Session } from '../../routing/session.ts';
import { maySeePresence } from '../../routing/visibility.ts';

/**
 * The address under which a session has joined the room at `address`, which can also be that of an occupant: it has sent directed presence
 * there (XEP-0045 §7.2). Undefined if it has not joined. Contacts who may see presence are no rooms.
 */
export function joinedAs({ account, presence }: Session, address: Jid): Jid | undefined {
  if (presence.directed.size === 0 || maySeePresence(account, address)) return undefined;
  const room = address.bare();
  for (const own of presence.directed.values()) {
    if (!own.isBare && own.resource !== address.resource && own.bare().equals(room)) return own;
  }
  return undefined;
}

/**
 * Whether a message to one of these sessions comes from a room other than as an invitation: the room sends it to each joined client
 * itself (XEP-0280 §6.1). Rooms mark private messages (XEP-0045 §7.5), but not all do.
 */
export function isFromRoom(message: Stanza, sender: Jid, recipient: Jid, sessions: readonly Session[]): boolean {
  if (recipient.isBare || hasKind(message.payload, 'invitation')) return false;
  if (message.payload.has('x', ns.mucUser)) return true;
  return !sender.isBare && sessions.some((session) => joinedAs(session, sender) !== undefined);
}
