import { nickKey } from '../../protocol/muc/nick-key.ts';
import { maxHistoryLength } from '../../protocol/muc/room-config.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { RoomChange } from './decision.ts';
import { type Affiliated, type ExistingRoom, type HistoryEntry, nobodyInside, type RoomState } from './state.ts';

/** How many private messages a room remembers, to know the errors that answer them. */
const rememberedPrivateMessages = 256;

/** The state after a change. Throws an Error if a room that does not exist changes. */
export function applied(room: RoomState, change: RoomChange): RoomState {
  const { address } = room;
  if (change.kind === 'created') return created(room, change);
  if (change.kind === 'destroyed') return { kind: 'absent', address, tombstone: change.tombstone };
  if (room.kind === 'absent') throw new Error(`${address} does not exist and cannot change`);
  return changed(room, change);
}

function changed(
  room: ExistingRoom,
  change: Exclude<RoomChange, { readonly kind: 'created' | 'destroyed' }>,
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
    case 'sent-privately': {
      const { id, from, nick } = change;
      return {
        ...room,
        privateMessages: [...room.privateMessages, { id, from, nick }].slice(-rememberedPrivateMessages),
      };
    }
    case 'request':
      return { ...room, requests: changedMap(room.requests, change.id, change.request) };
    case 'invited': {
      const { invitee, inviter, untilMs } = change;
      const invitation = untilMs > 0 ? { inviter, untilMs } : undefined;
      return { ...room, invitations: changedMap(room.invitations, invitee.toString(), invitation) };
    }
    case 'voice-requested':
      return { ...room, voiceRequests: changedMap(room.voiceRequests, change.user.toString(), change.atMs) };
    case 'configured':
      return { ...room, config: change.config };
    case 'vcard':
      return { ...room, avatarHashes: change.vcard?.avatarHashes ?? [] };
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

function created({ address }: RoomState, change: RoomChange & { readonly kind: 'created' }): ExistingRoom {
  const { owner, config, occupantKey, lockedFor } = change;
  return {
    ...nobodyInside,
    kind: 'existing',
    address,
    config,
    occupantKey,
    lockedFor,
    affiliations: new Map(owner ? [[owner.toString(), { affiliation: 'owner' }]] : []),
    reservedNicks: new Map(),
    avatarHashes: [],
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

function changedMap<Value>(
  map: ReadonlyMap<string, Value>,
  key: string,
  value: Value | undefined,
): ReadonlyMap<string, Value> {
  const changed = new Map(map);
  if (value === undefined) changed.delete(key);
  else changed.set(key, value);
  return changed;
}
