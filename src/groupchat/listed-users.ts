import type { Jid } from '../protocol/jid.ts';
import { isAffiliatedAs } from '../protocol/muc/vocabulary.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { BarredUsers } from '../routing/extension.ts';
import type { Wish } from './read-command.ts';
import type { Eject } from './room/command.ts';
import { affiliationOf, type RoomState } from './room/state.ts';

/** The users on the block lists that this server follows. */
export interface ListedUsers extends BarredUsers {
  /** A room has refused a wish of a listed user. */
  readonly refused: () => void;
}

/** Wishes that nobody in the room learns of. */
const harmless: ReadonlySet<Wish['kind']> = new Set<Wish['kind']>(['leave', 'report-failure', 'reply', 'probe']);

/** Throws `forbidden` for a wish of a user on a block list, unless the user is a member of the room. */
export function refuseListed(room: RoomState, { kind, from }: Wish, listed: ListedUsers): void {
  if (!listed.has(from) || harmless.has(kind) || room.kind === 'absent') return;
  if (isMember(room, from)) return;
  listed.refused();
  throw StanzaError.forbidden('your address is on a block list');
}

/** The removal of the occupants that are barred. */
export function ejectionOf(room: RoomState, { has, sparesMembers, reason }: BarredUsers, nowMs: number): Eject {
  const occupants = room.kind === 'existing' ? [...room.occupants.all] : [];
  const barred = occupants.filter(({ user }) => has(user) && !(sparesMembers && isMember(room, user)));
  return { kind: 'eject', nicks: barred.map(({ nick }) => nick), reason, nowMs };
}

function isMember(room: RoomState, user: Jid): boolean {
  return room.kind === 'existing' && isAffiliatedAs(affiliationOf(room, user), 'member');
}
