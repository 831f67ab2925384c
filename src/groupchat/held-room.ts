import { StanzaError } from '../protocol/stanza-error.ts';
import type { Clock } from '../support/clock.ts';
import type { RoomArchive } from './archive-queries.ts';
import { type ListedUsers, refuseListed } from './listed-users.ts';
import type { LoadedRoom } from './loading.ts';
import type { Wish } from './read-command.ts';
import { authorOf } from './room/posting.ts';
import { endsOfPrivateMessage } from './room/private-messages.ts';
import type { RoomOwner } from './room-owner.ts';

/** A room in memory. */
export interface Held {
  readonly owner: RoomOwner;
  readonly ids: RoomArchive['ids'];
  readonly departed: readonly string[];
  /** The local clients that may not know what a crash has changed. */
  readonly unaware: Set<string>;
  /** When the clients of other servers were heard last, in monotonic milliseconds. */
  readonly heard: Map<string, number>;
  /** Monotonic milliseconds. */
  usedAtMs: number;
}

/** Dependencies of a room in memory. */
interface HeldRoomDeps extends Pick<Held, 'ids'> {
  readonly isLocalDomain: (domain: string) => boolean;
  readonly clock: Clock;
  /** Whether the last run has ended with a crash. */
  readonly afterCrash: boolean;
}

/** A room that was loaded. */
export function heldRoom(
  { departed, confirmed }: LoadedRoom,
  owner: RoomOwner,
  { ids, clock, isLocalDomain, afterCrash }: HeldRoomDeps,
): Held {
  const clients = afterCrash ? confirmed.map(({ client }) => client) : [];
  return {
    owner,
    ids,
    departed,
    unaware: new Set(clients.filter(({ domain }) => isLocalDomain(domain)).map(String)),
    heard: new Map(),
    usedAtMs: clock.monotonicMs(),
  };
}

/** Whether a client in the room has not come back since a crash. */
export function isSomebodyUnaware({ owner: { state }, unaware }: Held): boolean {
  return state.kind === 'existing' && [...unaware].some((client) => state.occupants.isInside(client));
}

/** Why the room would refuse a message now. Changes nothing. */
export function refusalAt({ owner: { state } }: Held, wish: Wish, listed: ListedUsers): StanzaError | undefined {
  try {
    refuseListed(state, wish, listed);
    if (wish.kind === 'post') authorOf(state, wish.from, wish.message);
    if (wish.kind === 'send-privately') endsOfPrivateMessage(state, wish);
  } catch (error) {
    if (error instanceof StanzaError) return error;
    throw error;
  }
  return undefined;
}
