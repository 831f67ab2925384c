import { Jid } from '../protocol/jid.ts';
import { nickKey } from '../protocol/muc/nick-key.ts';
import {
  defaultRoomConfig,
  maxHistoryLength,
  type OccupantRole,
  type RoomConfig,
} from '../protocol/muc/room-config.ts';
import { affiliationNamed, roleNamed } from '../protocol/muc/vocabulary.ts';
import { priorityOf } from '../protocol/presence.ts';
import { Stanza } from '../protocol/stanza.ts';
import { timeOfId } from '../storage/ordered-ids.ts';
import type { RoomMessage, RoomRecord, RoomStore, StoredOccupant } from '../storage/rooms.ts';
import { parseFrame } from '../xml/parse-frame.ts';
import { withAffiliations } from './room/apply.ts';
import { occupantIdOf } from './room/occupant-id.ts';
import { type Occupant, Occupants } from './room/occupants.ts';
import { changesSubject } from './room/posting.ts';
import { withSession } from './room/sessions.ts';
import { type Affiliated, type ExistingRoom, type HistoryEntry, nobodyInside, type RoomState } from './room/state.ts';

/** A room as its owner begins with it. */
export interface LoadedRoom {
  readonly state: RoomState;
  /** Its number in the store. */
  readonly number: number | undefined;
  /** The last archived message that each of its clients has confirmed. */
  readonly confirmed: readonly { readonly client: Jid; readonly lastId: number }[];
  /** The nicknames that somebody has left shortly before. */
  readonly departed: readonly string[];
}

const everything = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };

/** Reads what is at the address of a room. */
export async function loadRoom(address: Jid, store: Pick<RoomStore, 'open' | 'page'>): Promise<LoadedRoom> {
  const { record, tombstone } = await store.open(address.toString());
  if (!record) return { state: { kind: 'absent', address, tombstone }, number: undefined, confirmed: [], departed: [] };
  const { room: number, departed } = record;
  const messages = await store.page(number, everything, maxHistoryLength, 'last');
  const confirmed = record.occupants.map(({ jid, seenId }) => ({ client: Jid.parse(jid), lastId: seenId }));
  return { state: roomOf(address, record, messages), number, confirmed, departed };
}

function roomOf(address: Jid, record: RoomRecord, messages: readonly RoomMessage[]): ExistingRoom {
  const { subject, occupantKey, affiliations, occupants, avatarHashes } = record;
  const room: ExistingRoom = {
    ...nobodyInside,
    kind: 'existing',
    address,
    // A configuration that an earlier version has stored lacks later options.
    config: { ...defaultRoomConfig, ...(JSON.parse(record.config) as Partial<RoomConfig>) },
    affiliations: new Map(),
    reservedNicks: new Map(),
    avatarHashes,
    subject: subject && { message: stanzaOf(subject.message), atMs: subject.atMs },
    history: messages.map(entryOf).filter(({ message }) => !changesSubject(message.payload)),
    occupantKey,
    occupants: Occupants.none.changed(occupantsOf(address, occupants, occupantKey)),
  };
  return withAffiliations(
    room,
    affiliations.map(({ jid, affiliation, nick, reason }): [string, Affiliated] => [
      jid,
      { affiliation: affiliationNamed(affiliation) ?? 'none', nick, reason },
    ]),
  );
}

/** The occupants whose clients were stored, by the key of their nickname. */
function occupantsOf(room: Jid, clients: readonly StoredOccupant[], occupantKey: Buffer): Map<string, Occupant> {
  const occupants = new Map<string, Occupant>();
  for (const { jid: text, nick, role, presence } of clients) {
    const [jid, key] = [Jid.parse(text), nickKey(nick)];
    const occupant = occupants.get(key) ?? {
      nick,
      nickKey: key,
      address: room.withResource(nick),
      user: jid.bare(),
      role: occupantRole(role),
      occupantId: occupantIdOf(jid, occupantKey),
      sessions: [],
    };
    const shown = stanzaOf(presence);
    occupants.set(key, withSession(occupant, { jid, presence: shown, priority: priorityOf(shown) }));
  }
  return occupants;
}

function occupantRole(name: string): OccupantRole {
  const role = roleNamed(name);
  if (role === undefined || role === 'none') throw new Error(`no occupant has the role ${name}`);
  return role;
}

/** A message of the archive. */
export function entryOf({ id, bytes }: RoomMessage): HistoryEntry {
  return { number: id, message: stanzaOf(bytes), atMs: timeOfId(id), isArchived: true };
}

function stanzaOf(bytes: Buffer): Stanza {
  return Stanza.fromFrame(parseFrame(bytes));
}
