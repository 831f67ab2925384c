import type { Jid } from '../protocol/jid.ts';
import { defaultRoomConfig, maxHistoryLength, type RoomConfig } from '../protocol/muc/room-config.ts';
import { affiliationNamed } from '../protocol/muc/vocabulary.ts';
import { Stanza } from '../protocol/stanza.ts';
import { timeOfId } from '../storage/ordered-ids.ts';
import type { RoomMessage, RoomRecord, RoomStore } from '../storage/rooms.ts';
import { parseFrame } from '../xml/parse-frame.ts';
import { withAffiliations } from './room/apply.ts';
import { changesSubject } from './room/posting.ts';
import { type Affiliated, type ExistingRoom, type HistoryEntry, nobodyInside, type RoomState } from './room/state.ts';

/** A room as its owner begins with it. */
export interface LoadedRoom {
  readonly state: RoomState;
  /** Its number in the store. */
  readonly number: number | undefined;
}

const everything = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };

/** Reads what is at the address of a room. */
export async function loadRoom(address: Jid, store: Pick<RoomStore, 'open' | 'page'>): Promise<LoadedRoom> {
  const { record, tombstone } = await store.open(address.toString());
  if (!record) return { state: { kind: 'absent', address, tombstone }, number: undefined };
  const messages = await store.page(record.room, everything, maxHistoryLength, 'last');
  return { state: roomOf(address, record, messages), number: record.room };
}

function roomOf(address: Jid, record: RoomRecord, messages: readonly RoomMessage[]): ExistingRoom {
  const { subject, occupantKey, affiliations } = record;
  const room: ExistingRoom = {
    ...nobodyInside,
    kind: 'existing',
    address,
    // A configuration that an earlier version has stored lacks later options.
    config: { ...defaultRoomConfig, ...(JSON.parse(record.config) as Partial<RoomConfig>) },
    affiliations: new Map(),
    reservedNicks: new Map(),
    subject: subject && { message: stanzaOf(subject.message), atMs: subject.atMs },
    history: messages.map(entryOf).filter(({ message }) => !changesSubject(message.payload)),
    occupantKey,
  };
  return withAffiliations(
    room,
    affiliations.map(({ jid, affiliation, nick, reason }): [string, Affiliated] => [
      jid,
      { affiliation: affiliationNamed(affiliation) ?? 'none', nick, reason },
    ]),
  );
}

function entryOf({ id, bytes }: RoomMessage): HistoryEntry {
  return { number: id, message: stanzaOf(bytes), atMs: timeOfId(id) };
}

function stanzaOf(bytes: Buffer): Stanza {
  return Stanza.fromFrame(parseFrame(bytes));
}
