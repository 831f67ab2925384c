import { isRetracted, type Moderation, moderatedRetraction, retracted } from '../../protocol/retraction.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { withStanzaId } from '../../protocol/stanza-id.ts';
import { answer } from './answer.ts';
import type { ArchivedTarget, Moderate } from './command.ts';
import type { Decision, RoomChange } from './decision.ts';
import { checkActor, checkRight } from './rights.ts';
import { affiliationOf, type RoomState, rightsPolicyOf, standingOf } from './state.ts';

/** A moderator takes back the message of somebody (XEP-0425 §4). Throws StanzaError. */
export function moderate(room: RoomState, command: Moderate): Decision {
  const { from, request, target, messageId, reason, archive, nowMs } = command;
  if (room.kind === 'absent') throw StanzaError.itemNotFound('there is no such room');
  const moderator = room.occupants.with(from);
  const actor = standingOf(room, from);
  checkActor('moderate message', actor, rightsPolicyOf(room));
  if (!moderator || !target) throw StanzaError.itemNotFound('there is no such message');
  const { author } = target;
  const isActor = author.bare().equals(from.bare());
  const standing = { role: 'none', affiliation: affiliationOf(room, author), isActor } as const;
  checkRight('moderate message', actor, standing, rightsPolicyOf(room));
  if (isRetracted(target.message.payload)) return { changes: [], announcements: [answer(request)] };
  const moderation: Moderation = { by: moderator.address, occupantId: moderator.occupantId, reason };
  const attributes = { from: room.address, type: 'groupchat', id: archive.id };
  const told = Stanza.message(attributes, ...moderatedRetraction(messageId, moderation));
  const message = told.with({ payload: withStanzaId(told.payload, room.address, archive.id) });
  const isArchived = room.config.archiving;
  const posted: RoomChange = {
    kind: 'posted',
    entry: { number: archive.number, message, atMs: nowMs, isArchived },
    author: from,
    occupantId: moderator.occupantId,
    inHistory: true,
  };
  return {
    changes: [posted, takenBack(target, { id: archive.id, atMs: nowMs, moderation })],
    announcements: [
      { stanza: message, to: room.occupants.sessions, posted: archive.number, isArchived },
      answer(request),
    ],
  };
}

/** The message without its content. */
export function takenBack(
  { number, message }: ArchivedTarget,
  retraction: Parameters<typeof retracted>[1],
): RoomChange {
  const payload = retracted(message.payload, retraction);
  return { kind: 'message-replaced', number, message: message.with({ payload }) };
}
