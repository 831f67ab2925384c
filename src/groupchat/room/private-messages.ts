import type { Jid } from '../../protocol/jid.ts';
import { nickKey } from '../../protocol/muc/nick-key.ts';
import { reflectable, withOccupantId } from '../../protocol/muc/reflection.ts';
import { mucUserElement } from '../../protocol/muc/user-element.ts';
import { hasRoleOf } from '../../protocol/muc/vocabulary.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { ReportFailure, SendPrivately } from './command.ts';
import type { Announcement, Decision } from './decision.ts';
import type { Occupant } from './occupants.ts';
import { clientsOf } from './presence.ts';
import type { ExistingRoom, RoomState } from './state.ts';

/** Two occupants, or one that writes to itself. */
interface PrivateEnds {
  readonly author: Occupant;
  readonly target: Occupant;
}

/** A private message to another occupant (XEP-0045 §7.5). Throws StanzaError. */
export function sendPrivately(room: RoomState, command: SendPrivately): Decision {
  const { from, message } = command;
  const { author, target } = endsOfPrivateMessage(room, command);
  const content = withOccupantId(reflectable(message.payload, room.address), author.occupantId);
  const payload = content.with(mucUserElement({}));
  const { id, type, lang } = message;
  const stanza = new Stanza('message', { from: author.address, id, type, lang }, payload);
  const changes = id === undefined ? [] : [{ kind: 'sent-privately', id, from, nick: target.nick } as const];
  return { changes, announcements: [{ stanza, to: clientsOf(target), isPersonal: true }] };
}

/** The two ends of a private message. Throws StanzaError if the author may not send it. */
export function endsOfPrivateMessage(
  room: RoomState,
  { from, nick }: Pick<SendPrivately, 'from' | 'nick'>,
): PrivateEnds {
  const ends = endsOf(room, from, nick);
  if (!maySendPrivately(room, ends.author, ends.target))
    throw StanzaError.forbidden('you may not send private messages');
  return ends;
}

/** The author of something private, and the occupant with this nickname. Throws StanzaError. */
export function endsOf(room: RoomState, from: Jid, nick: string): PrivateEnds {
  if (room.kind === 'absent') throw StanzaError.itemNotFound('there is no such room');
  const author = room.occupants.with(from);
  if (!author) throw StanzaError.notAcceptable('you are not in this room');
  const target = room.occupants.named(nickKey(nick));
  if (!target) throw StanzaError.itemNotFound('nobody has this nickname');
  return { author, target };
}

/** The error that answers a private message goes to its author: it says nothing about the client that sends it. */
export function returned(room: ExistingRoom, { from, id, error }: ReportFailure): Announcement | undefined {
  const sent = room.privateMessages.find((one) => one.id === id && room.occupants.with(from)?.nick === one.nick);
  if (!sent) return undefined;
  const address = room.address.withResource(sent.nick);
  const stanza = Stanza.message({ from: address, id: sent.id, type: 'error' }, error.withoutAddresses().element());
  return { stanza, to: [sent.from] };
}

/** Nobody needs leave to write to their own clients. */
function maySendPrivately(room: RoomState, author: Occupant, target: Occupant): boolean {
  if (room.kind === 'absent') return false;
  if (author.user.equals(target.user)) return true;
  switch (room.config.allowPm) {
    case 'anyone':
      return true;
    case 'participants':
      return hasRoleOf(author.role, 'participant');
    case 'moderators':
      return author.role === 'moderator';
    case 'none':
      return false;
  }
}
