import { nickKey } from '../../protocol/muc/nick-key.ts';
import { status } from '../../protocol/muc/user-element.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { CreateRoom, Eject, ForgetHistory, Reconfigure } from './command.ts';
import { reconfigured } from './configuring.ts';
import { type Decision, nothing } from './decision.ts';
import { withoutOccupants } from './standing-changes.ts';
import type { RoomState } from './state.ts';

/** The operator creates a room, also where another one was destroyed. Throws StanzaError if there is one. */
export function createRoom(room: RoomState, { owner, config, occupantKey, nowMs }: CreateRoom): Decision {
  if (room.kind === 'existing') throw StanzaError.conflict('there is a room already');
  // Nobody is in it, so a temporary room would end at once.
  if (!config.persistent) throw StanzaError.notAcceptable('a room that nobody is in must be persistent');
  return { changes: [{ kind: 'created', owner, config, occupantKey, atMs: nowMs }], announcements: [] };
}

/** The operator changes the configuration. */
export function reconfigure(room: RoomState, { config }: Reconfigure): Decision {
  return room.kind === 'absent' ? nothing : reconfigured(room, [{ kind: 'configured', config }]);
}

/** The operator removes occupants. Throws StanzaError if nobody has one of the nicknames. */
export function eject(room: RoomState, { nicks, reason }: Eject): Decision {
  if (room.kind === 'absent' || nicks.length === 0) return nothing;
  const removed = nicks.map((nick) => {
    const occupant = room.occupants.named(nickKey(nick));
    if (!occupant) throw StanzaError.itemNotFound('nobody has this nickname');
    return occupant;
  });
  const { changes, toTargets, toOthers } = withoutOccupants(room, removed, status.kicked, () => ({ reason }));
  return { changes, announcements: [...toTargets, ...toOthers] };
}

/** Newcomers do not get old messages any more. */
export function forgetHistory(room: RoomState, { beforeNumber }: ForgetHistory): Decision {
  if (room.kind === 'absent') return nothing;
  const old = room.history.filter(({ number }) => number < beforeNumber);
  return { changes: old.map(({ number }) => ({ kind: 'message-forgotten', number })), announcements: [] };
}
