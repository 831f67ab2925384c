import type { ArchiveUsage } from '../../src/storage/archive.ts';
import { firstIdAt } from '../../src/storage/ordered-ids.ts';
import type {
  ListedRoom,
  NewRoom,
  NewRoomMessage,
  OccupantChange,
  PublicRoom,
  RoomImport,
  RoomListing,
  RoomMessage,
  RoomRange,
  RoomRecord,
  RoomStore,
  RoomSummary,
  RoomTombstone,
  StoredRoom,
  StoredRoomChange,
} from '../../src/storage/rooms.ts';
import { StorageError } from '../../src/storage/storage-error.ts';

interface Held {
  record: RoomRecord;
  vcard: string | undefined;
  listing: RoomListing;
  messages: RoomMessage[];
}

/** Rooms in memory. A test can hold answers back, and make writes fail. */
export class MemoryRooms implements RoomStore {
  /** Comes before every answer to a write; what it rejects with, the write fails with. */
  before: () => Promise<void> = () => Promise.resolve();
  readonly #rooms = new Map<number, Held>();
  readonly #imports = new Map<number, RoomImport & { readonly messages: RoomMessage[] }>();
  readonly #tombstones = new Map<string, RoomTombstone>();
  #orderly = false;
  #lastRoom = 0;
  #lastMessage = 0;

  open(address: string): Promise<StoredRoom> {
    const tombstone = this.#tombstones.get(address);
    const isOver = tombstone && tombstone.untilMs <= Date.now();
    return Promise.resolve({ record: this.#at(address)?.record, tombstone: isOver ? undefined : tombstone });
  }

  async create(room: NewRoom, listing: RoomListing): Promise<number> {
    await this.before();
    this.#lastRoom += 1;
    this.#put(this.#lastRoom, room, listing, []);
    return this.#lastRoom;
  }

  beginImport({ address, content }: RoomImport): Promise<number> {
    if (this.#at(address)) return Promise.reject(new StorageError('conflict', 'the address has a room'));
    for (const [number, earlier] of this.#imports) if (earlier.address === address) this.#imports.delete(number);
    this.#lastRoom += 1;
    this.#imports.set(this.#lastRoom, { address, content, messages: [] });
    return Promise.resolve(this.#lastRoom);
  }

  findImport(room: number): Promise<RoomImport | undefined> {
    const found = this.#imports.get(room);
    return Promise.resolve(found && { address: found.address, content: found.content });
  }

  async endImport(
    number: number,
    room: NewRoom,
    listing: RoomListing,
    changes: readonly StoredRoomChange[],
  ): Promise<void> {
    const found = this.#imports.get(number);
    if (!found) throw new StorageError('not-found', 'no such import');
    const held = this.#put(number, room, listing, found.messages);
    this.#imports.delete(number);
    for (const change of changes) apply(held, change);
  }

  vcard(room: number): Promise<string | undefined> {
    return Promise.resolve(this.#rooms.get(room)?.vcard);
  }

  async change(room: number, changes: readonly StoredRoomChange[]): Promise<void> {
    await this.before();
    const held = this.#held(room);
    for (const change of changes) apply(held, change);
  }

  async destroy(room: number, tombstone: RoomTombstone | undefined): Promise<void> {
    await this.before();
    const { address } = this.#held(room).record;
    this.#rooms.delete(room);
    if (tombstone) this.#tombstones.set(address, tombstone);
  }

  newMessageId(): number {
    this.#lastMessage += 1;
    return this.#lastMessage;
  }

  append({ room, ...message }: NewRoomMessage): Promise<void> {
    // A query sees everything that was appended before it.
    const { messages } = this.#rooms.get(room) ?? this.#imports.get(room) ?? {};
    messages?.push({ ...message, bytes: Buffer.from(message.bytes) });
    return this.before().catch((error: unknown) => {
      this.#remove(room, ({ id }) => id !== message.id);
      throw error;
    });
  }

  idsAt(timesMs: readonly number[]): Promise<number[]> {
    const used = new Set([...this.#rooms.values()].flatMap(({ messages }) => messages.map(({ id }) => id)));
    let last = 0;
    const ids = timesMs.map((timeMs) => {
      last = Math.max(firstIdAt(timeMs), last + 1);
      while (used.has(last)) last += 1;
      return last;
    });
    return Promise.resolve(ids);
  }

  page(room: number, range: RoomRange, limit: number, which: 'first' | 'last'): Promise<RoomMessage[]> {
    const all = this.#within(room, range);
    return Promise.resolve(which === 'first' ? all.slice(0, limit) : all.slice(Math.max(0, all.length - limit)));
  }

  find(room: number, ids: readonly number[]): Promise<RoomMessage[]> {
    const messages = this.#rooms.get(room)?.messages ?? [];
    return Promise.resolve(ids.flatMap((wanted) => messages.find(({ id }) => id === wanted) ?? []));
  }

  count(room: number, range: RoomRange, most: number): Promise<number> {
    return Promise.resolve(Math.min(this.#within(room, range).length, most));
  }

  bounds(room: number): Promise<readonly [number, number] | undefined> {
    const messages = this.#rooms.get(room)?.messages ?? [];
    const [first, last] = [messages[0], messages.at(-1)];
    return Promise.resolve(first && last && [first.id, last.id]);
  }

  usage(): Promise<ArchiveUsage> {
    const all = [...this.#rooms.values()].flatMap(({ messages }) => messages);
    const ids = all.map(({ id }) => id).sort((one, other) => one - other);
    const bytes = all.reduce((sum, message) => sum + message.bytes.length, 0);
    return Promise.resolve({ messages: all.length, bytes, firstId: ids[0], lastId: ids.at(-1) });
  }

  purge(room: number, beforeId: number): Promise<number> {
    const count = this.#within(room, { afterId: 0, beforeId }).length;
    this.#remove(room, ({ id }) => id >= beforeId);
    return Promise.resolve(count);
  }

  tidy({ removeBeforeId, maxMessages }: Parameters<RoomStore['tidy']>[0]): Promise<boolean> {
    for (const room of this.#rooms.keys()) {
      this.#remove(room, ({ id }) => id >= removeBeforeId);
      const excess = (this.#rooms.get(room)?.messages.length ?? 0) - maxMessages;
      if (excess > 0) this.#rooms.get(room)?.messages.splice(0, excess);
    }
    return Promise.resolve(false);
  }

  publicRooms(domain: string, after: string, limit: number): Promise<ListedRoom[]> {
    const listed = this.#listed(domain).filter(({ address }) => address > after);
    return Promise.resolve(listed.slice(0, limit));
  }

  publicConfigs(domain: string, after: string, limit: number): Promise<PublicRoom[]> {
    const listed = this.#listed(domain).filter(({ address }) => address > after);
    const configs = listed.map(({ address }) => ({ address, config: this.#at(address)?.record.config ?? '' }));
    return Promise.resolve(configs.slice(0, limit));
  }

  list(after: string, limit: number): Promise<RoomSummary[]> {
    const all = [...this.#rooms.values()]
      .map(({ record: { address }, listing, messages }) => ({ address, ...listing, messages: messages.length }))
      .filter(({ address }) => address > after)
      .sort((one, other) => (one.address < other.address ? -1 : 1));
    return Promise.resolve(all.slice(0, limit));
  }

  countPublicRooms(domain: string): Promise<number> {
    return Promise.resolve(this.#listed(domain).length);
  }

  countRooms(owner: string): Promise<{ all: number; owned: number }> {
    const records = [...this.#rooms.values()].map(({ record }) => record);
    const owned = records.filter(({ affiliations }) =>
      affiliations.some(({ jid, affiliation }) => jid === owner && affiliation === 'owner'),
    );
    return Promise.resolve({ all: records.length, owned: owned.length });
  }

  changeOccupant(room: number, change: OccupantChange): Promise<void> {
    const held = this.#rooms.get(room);
    if (held) changeOccupant(held, change);
    return Promise.resolve();
  }

  occupied(after: string, limit: number): Promise<string[]> {
    const isOccupied = ({ record: { occupants, config } }: Held) =>
      occupants.length > 0 || (JSON.parse(config) as { persistent?: boolean }).persistent === false;
    const addresses = [...this.#rooms.values()].filter(isOccupied).map(({ record }) => record.address);
    return Promise.resolve(
      addresses
        .filter((address) => address > after)
        .sort()
        .slice(0, limit),
    );
  }

  begin(): Promise<boolean> {
    const wasOrderly = this.#orderly;
    this.#orderly = false;
    return Promise.resolve(wasOrderly);
  }

  end(): Promise<void> {
    this.#orderly = true;
    return Promise.resolve();
  }

  async forget(jid: string): Promise<string[]> {
    await this.before();
    const addresses: string[] = [];
    for (const held of this.#rooms.values()) {
      if (!held.record.affiliations.some((one) => one.jid === jid)) continue;
      apply(held, { kind: 'affiliation-removed', jid });
      addresses.push(held.record.address);
    }
    return addresses;
  }

  #put(number: number, room: NewRoom, listing: RoomListing, messages: RoomMessage[]): Held {
    if (this.#at(room.address)) throw new StorageError('conflict', 'the address has a room');
    this.#tombstones.delete(room.address);
    const nobody = { subject: undefined, avatarHashes: [], occupants: [], departed: [] };
    const held = { record: { ...room, room: number, ...nobody }, listing, vcard: undefined, messages };
    this.#rooms.set(number, held);
    return held;
  }

  #within(room: number, { afterId, beforeId }: RoomRange): RoomMessage[] {
    return (this.#rooms.get(room)?.messages ?? []).filter(({ id }) => id > afterId && id < beforeId);
  }

  #remove(room: number, isKept: (message: RoomMessage) => boolean): void {
    const held = this.#rooms.get(room);
    if (held) held.messages = held.messages.filter(isKept);
  }

  #at(address: string): Held | undefined {
    return [...this.#rooms.values()].find(({ record }) => record.address === address);
  }

  #held(room: number): Held {
    const held = this.#rooms.get(room);
    if (!held) throw new StorageError('not-found', 'no such room');
    return held;
  }

  #listed(domain: string): ListedRoom[] {
    return [...this.#rooms.values()]
      .filter(({ record, listing }) => listing.isPublic && record.address.endsWith(`@${domain}`))
      .map(({ record, listing }) => ({ address: record.address, name: listing.name }))
      .sort((one, other) => (one.address < other.address ? -1 : 1));
  }
}

function changeOccupant(held: Held, change: OccupantChange): void {
  const { occupants, departed } = held.record;
  const jid = change.kind === 'present' ? change.occupant.jid : change.jid;
  const others = occupants.filter((one) => one.jid !== jid);
  switch (change.kind) {
    case 'present': {
      const occupant = { ...change.occupant, presence: Buffer.from(change.occupant.presence) };
      held.record = { ...held.record, occupants: [...others, occupant] };
      return;
    }
    case 'seen':
      held.record = {
        ...held.record,
        occupants: occupants.map((one) => (one.jid === jid ? { ...one, seenId: change.seenId } : one)),
      };
      return;
    case 'left':
      held.record = {
        ...held.record,
        occupants: others,
        departed: [...new Set([...departed, change.nick])].sort(),
      };
  }
}

function apply(held: Held, change: StoredRoomChange): void {
  const { record } = held;
  switch (change.kind) {
    case 'config':
      held.record = { ...record, config: change.config };
      held.listing = change.listing;
      return;
    case 'affiliation': {
      const others = record.affiliations.filter(({ jid }) => jid !== change.entry.jid);
      held.record = { ...record, affiliations: [...others, change.entry] };
      return;
    }
    case 'affiliation-removed':
      held.record = { ...record, affiliations: record.affiliations.filter(({ jid }) => jid !== change.jid) };
      return;
    case 'subject': {
      const { message, atMs } = change.subject;
      held.record = { ...record, subject: { message: Buffer.from(message), atMs } };
      return;
    }
    case 'vcard':
      held.record = { ...record, avatarHashes: change.vcard?.avatarHashes ?? [] };
      held.vcard = change.vcard?.xml;
      return;
    case 'message-replaced':
      held.messages = held.messages.map((one) =>
        one.id === change.id ? { ...one, bytes: Buffer.from(change.bytes) } : one,
      );
  }
}
