import type { Jid } from '../protocol/jid.ts';
import type { RoomMessage, RoomStore } from '../storage/rooms.ts';
import { entryOf } from './loading.ts';
import type { Recover } from './room/command.ts';
import { affiliationOf, type ExistingRoom, type RoomState } from './room/state.ts';

/** Dependencies of the recovery of rooms. */
interface RecoveryDeps {
  readonly store: Pick<RoomStore, 'page'>;
  readonly isLocalDomain: (domain: string) => boolean;
  /** Whether a local client is connected or can come back. */
  readonly hasSession: (client: Jid) => boolean;
  /** The last archived message that a client has confirmed. */
  readonly lastConfirmed: (client: Jid) => number;
}

/** The most archived messages that a client gets after a restart. One that has missed more must enter again. */
const maxMissed = 1000;

/** Finds the clients of a loaded room that are lost after a restart, and the messages that the others have missed. */
export async function recovery(
  room: RoomState,
  number: number | undefined,
  { store, isLocalDomain, hasSession, lastConfirmed }: RecoveryDeps,
): Promise<Pick<Recover, 'lost' | 'missed'>> {
  if (room.kind === 'absent') return { lost: [], missed: [] };
  const isHere = (client: Jid) => !isLocalDomain(client.domain) || hasSession(client);
  // A crash may have lost that somebody left because of a ban, but not the ban.
  const isLost = (client: Jid) => !isHere(client) || !mayBeInside(room, client);
  const clients = room.occupants.sessions;
  const lost = clients.filter(isLost);
  const living = clients.filter((client) => isLocalDomain(client.domain) && !isLost(client));
  if (living.length === 0 || number === undefined) return { lost, missed: [] };
  const earliest = Math.min(...living.map(lastConfirmed));
  const range = { afterId: earliest, beforeId: Number.POSITIVE_INFINITY };
  const messages = await store.page(number, range, maxMissed + 1, 'last');
  const overdue = living.filter((client) => missedBy(client, messages, lastConfirmed).length > maxMissed);
  const others = living.filter((client) => !overdue.includes(client));
  const missed = messages.map((message) => {
    return { entry: entryOf(message), to: others.filter((client) => lastConfirmed(client) < message.id) };
  });
  return { lost: [...lost, ...overdue], missed: missed.filter(({ to }) => to.length > 0) };
}

function mayBeInside(room: ExistingRoom, client: Jid): boolean {
  const affiliation = affiliationOf(room, client);
  return affiliation !== 'outcast' && !(room.config.membersOnly && affiliation === 'none');
}

function missedBy(
  client: Jid,
  messages: readonly RoomMessage[],
  lastConfirmed: (client: Jid) => number,
): readonly RoomMessage[] {
  const lastId = lastConfirmed(client);
  return messages.filter(({ id }) => id > lastId);
}
