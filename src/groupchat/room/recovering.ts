import { nickKey } from '../../protocol/muc/nick-key.ts';
import { mucUserElement, status } from '../../protocol/muc/user-element.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { Recover, Resync } from './command.ts';
import { type Announcement, type Decision, nothing } from './decision.ts';
import { delayed } from './history.ts';
import { notInRoom, withdraw } from './leaving.ts';
import { isShown, presenceForOthers, seesJids, toSelf } from './presence.ts';
import type { ExistingRoom, RoomState } from './state.ts';

/** The room was loaded after a restart: clients get what they have missed, and those that are lost leave. */
export function recover(room: RoomState, { lost, missed }: Recover): Decision {
  if (room.kind === 'absent') return nothing;
  const late = missed.map(
    ({ entry, to }): Announcement => ({
      stanza: delayed(entry, room.address),
      to,
      posted: entry.number,
      isArchived: true,
    }),
  );
  const { changes, announcements } = withdraw(room, lost, { statuses: [status.unreachable] });
  return { changes, announcements: [...late, ...announcements] };
}

/** A client is back after a restart. It gets the presence that it may have missed, or learns that it is not in the room any more. */
export function resync(room: RoomState, command: Resync): Decision {
  const { from, afterCrash, departed } = command;
  const occupant = room.kind === 'existing' ? room.occupants.with(from) : undefined;
  if (room.kind === 'absent' || !occupant) return notInRoom(room, command);
  if (!afterCrash) return nothing;
  const jid = seesJids(room, occupant);
  const others = [...room.occupants.all].filter((other) => other !== occupant && isShown(room, other));
  const stanzas = [
    ...departed.filter((nick) => !room.occupants.named(nickKey(nick))).map((nick) => absenceOf(room, nick)),
    ...others.map((other) => presenceForOthers(room, other, jid)),
  ];
  return {
    changes: [],
    announcements: [...stanzas.map((stanza) => ({ stanza, to: [from] })), toSelf(room, occupant, {}, [from])],
  };
}

/** Somebody is not there any more; more is not known. */
function absenceOf({ address }: ExistingRoom, nick: string): Stanza {
  const x = mucUserElement({ item: { affiliation: 'none', role: 'none' } });
  return Stanza.presence({ from: address.withResource(nick), type: 'unavailable' }, x);
}
