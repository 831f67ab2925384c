import type { RoomTombstone } from '../../storage/rooms.ts';
import type { EndIfOver } from './command.ts';
import { type Decision, nothing } from './decision.ts';
import type { ExistingRoom, RoomState } from './state.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Whether a room ends because nobody is in it: a temporary one, and one that its creator has not configured (XEP-0045 §10.1, §10.9). */
export function isOver(room: RoomState): boolean {
  if (room.kind === 'absent' || room.occupants.size > 0) return false;
  return !room.config.persistent || room.lockedFor !== undefined;
}

/** Ends a room that is over. */
export function endIfOver(room: RoomState, { nowMs }: EndIfOver): Decision {
  if (room.kind === 'absent' || !isOver(room)) return nothing;
  return { changes: [{ kind: 'destroyed', tombstone: leftBehind(room, nowMs) }], announcements: [] };
}

/** The owners of a room with members find it free when they come back tomorrow; nobody else can take it before. */
function leftBehind(room: ExistingRoom, nowMs: number): RoomTombstone | undefined {
  if (room.lockedFor || room.affiliations.size < 2) return undefined;
  return { untilMs: nowMs + dayMs, owners: ownersOf(room) };
}

/** The bare JIDs of the owners of a room. */
export function ownersOf({ affiliations }: ExistingRoom): string[] {
  return [...affiliations].filter(([, { affiliation }]) => affiliation === 'owner').map(([jid]) => jid);
}
