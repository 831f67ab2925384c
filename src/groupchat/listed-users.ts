import type { Jid } from '../protocol/jid.ts';
import { isAffiliatedAs } from '../protocol/muc/vocabulary.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Wish } from './read-command.ts';
import { affiliationOf, type RoomState } from './room/state.ts';

/** The users on the block lists that this server follows. */
export interface ListedUsers {
  readonly has: (user: Jid) => boolean;
  /** A room has refused a wish of a listed user. */
  readonly refused: () => void;
}

/** Wishes that nobody in the room learns of. */
const harmless: ReadonlySet<Wish['kind']> = new Set<Wish['kind']>(['leave', 'report-failure', 'reply', 'probe']);

/** Throws `forbidden` for a wish of a user on a block list, unless the user is a member of the room. */
export function refuseListed(room: RoomState, { kind, from }: Wish, listed: ListedUsers): void {
  if (!listed.has(from) || harmless.has(kind) || room.kind === 'absent') return;
  if (isAffiliatedAs(affiliationOf(room, from), 'member')) return;
  listed.refused();
  throw StanzaError.forbidden('your address is on a block list');
}
