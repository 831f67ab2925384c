import { nickKey } from '../../protocol/muc/nick-key.ts';
import { voiceRequestElement } from '../../protocol/muc/voice-request.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { AnswerVoice, RequestVoice } from './command.ts';
import { type Decision, nothing } from './decision.ts';
import { primaryOf } from './occupants.ts';
import { clientsOf } from './presence.ts';
import { checkActor, checkRight } from './rights.ts';
import { withRoles } from './standing-changes.ts';
import { affiliationOf, type RoomState, rightsPolicyOf, standingOf } from './state.ts';

/** The time after which a visitor may ask for voice again. */
const pauseMs = 30 * 60 * 1000;

/** A visitor asks the moderators for voice (XEP-0045 §7.13). Throws StanzaError. */
export function requestVoice(room: RoomState, { from, nowMs }: RequestVoice): Decision {
  const occupant = room.kind === 'existing' ? room.occupants.with(from) : undefined;
  if (room.kind === 'absent' || !occupant) throw StanzaError.notAcceptable('you are not in this room');
  if (occupant.role !== 'visitor') return nothing;
  const user = occupant.user.toString();
  if ((room.voiceRequests.get(user) ?? 0) > nowMs - pauseMs)
    throw StanzaError.policyViolation('you have asked already', { type: 'wait' });
  const moderators = [...room.occupants.all].filter(({ role }) => role === 'moderator');
  const form = voiceRequestElement(occupant.nick, primaryOf(occupant).jid);
  const stanza = Stanza.message({ from: room.address }, form);
  return {
    changes: [{ kind: 'voice-requested', user: occupant.user, atMs: nowMs }],
    announcements: [{ stanza, to: moderators.flatMap(clientsOf) }],
  };
}

/** A moderator gives voice, if the nickname still belongs to the same user (XEP-0045 §8.6). Throws StanzaError. */
export function answerVoice(room: RoomState, { from, voice, nowMs }: AnswerVoice): Decision {
  if (room.kind === 'absent') throw StanzaError.itemNotFound('there is no such room');
  const actor = standingOf(room, from);
  const policy = rightsPolicyOf(room);
  checkActor('change voice', actor, policy);
  const occupant = room.occupants.named(nickKey(voice.nick));
  const isSame = occupant?.user.equals(voice.jid.bare()) === true;
  if (!voice.isAllowed || !isSame || occupant.role !== 'visitor') return nothing;
  const target = { role: occupant.role, affiliation: affiliationOf(room, occupant.user), isActor: false };
  checkRight('change voice', actor, target, policy);
  const nick = room.occupants.with(from)?.nick;
  const given = withRoles(room, new Map([[occupant, 'participant']]), () => ({ actor: nick }), nowMs);
  return { changes: given.changes, announcements: [...given.toTargets, ...given.toOthers] };
}
