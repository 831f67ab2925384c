import { nickKey } from '../../protocol/muc/nick-key.ts';
import { maxHistoryLength } from '../../protocol/muc/room-config.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { RoomChange } from './decision.ts';
import { Occupants } from './occupants.ts';
import type { Affiliated, ExistingRoom, HistoryEntry, RoomState } from './state.ts';

/** The state after a change. Throws an Error if a room that does not exist changes. */
export function applied(room: RoomState, change: RoomChange): RoomState {
  const { address } = room;
  if (change.kind === 'founded') return founded(room, change);
  if (change.kind === 'destroyed') return { kind: 'absent', address, tombstone: change.tombstone };
  if (room.kind === 'absent') throw new Error(`${address} does not exist and cannot change`);
  return changed(room, change);
}

function changed(
  room: ExistingRoom,
  change: Exclude<RoomChange, { readonly kind: 'founded' | 'destroyed' }>,
): ExistingRoom {
  switch (change.kind) {
    case 'unlocked':
      return { ...room, lockedFor: undefined };
    case 'occupant':
      return { ...room, occupants: room.occupants.changed([[change.nickKey, change.occupant]]) };
    case 'affiliations':
      return withAffiliations(room, change.entries);
    case 'role-given': {
      const { user, role, untilMs } = change;
      return { ...room, givenRoles: new Map(room.givenRoles).set(user.toString(), { role, untilMs }) };
    }
    case 'configured':
      return { ...room, config: change.config };
    case 'subject':
      return { ...room, subject: change.subject };
    case 'posted':
      return change.inHistory ? { ...room, history: remembered(room.history, change.entry) } : room;
    case 'message-replaced':
      return { ...room, history: withMessage(room.history, change.number, change.message) };
    case 'message-forgotten':
      return { ...room, history: room.history.filter(({ number }) => number !== change.number) };
  }
}

function founded({ address }: RoomState, change: RoomChange & { readonly kind: 'founded' }): ExistingRoom {
  const { owner, config, occupantKey, lockedFor } = change;
  return {
    kind: 'existing',
    address,
    config,
    occupantKey,
    lockedFor,
    affiliations: new Map([[owner.toString(), { affiliation: 'owner' }]]),
    reservedNicks: new Map(),
    occupants: Occupants.none,
    givenRoles: new Map(),
    subject: undefined,
    history: [],
  };
}

/** The room with changed affiliations, and the nicknames that they reserve. */
export function withAffiliations(
  room: ExistingRoom,
  entries: Iterable<readonly [string, Affiliated | undefined]>,
): ExistingRoom {
  const affiliations = new Map(room.affiliations);
  const reservedNicks = new Map(room.reservedNicks);
  for (const [jid, affiliated] of entries) {
    const before = affiliations.get(jid)?.nick;
    if (before !== undefined) reservedNicks.delete(nickKey(before));
    if (!affiliated) affiliations.delete(jid);
    else affiliations.set(jid, affiliated);
    if (affiliated?.nick !== undefined) reservedNicks.set(nickKey(affiliated.nick), jid);
  }
  const givenRoles = new Map(room.givenRoles);
  for (const [jid] of entries) givenRoles.delete(jid);
  return { ...room, affiliations, reservedNicks, givenRoles };
}

function withMessage(history: readonly HistoryEntry[], number: number, message: Stanza): readonly HistoryEntry[] {
  return history.map((entry) => (entry.number === number ? { ...entry, message } : entry));
}

function remembered(history: readonly HistoryEntry[], entry: HistoryEntry): readonly HistoryEntry[] {
  return [...history, entry].slice(-maxHistoryLength);
}
