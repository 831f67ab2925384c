import { createHmac, randomBytes } from 'node:crypto';
import type { Jid } from '../protocol/jid.ts';
import { nickKey } from '../protocol/muc/nick-key.ts';
import { reflectable, withOccupantId } from '../protocol/muc/reflection.ts';
import { defaultRoomConfig, type RoomConfig, settingsOf, withSettings } from '../protocol/muc/room-config.ts';
import { type RoomVcard, readRoomVcard } from '../protocol/muc/room-vcard.ts';
import { affiliationNamed } from '../protocol/muc/vocabulary.ts';
import { ns } from '../protocol/namespaces.ts';
import { Stanza } from '../protocol/stanza.ts';
import { withoutStanzaIds, withStanzaId } from '../protocol/stanza-id.ts';
import { operatorAddress } from '../routing/operation.ts';
import { OperationError } from '../routing/operation-error.ts';
import type {
  NewRoom,
  RoomAffiliation,
  RoomImport,
  RoomListing,
  RoomStore,
  StoredRoomChange,
} from '../storage/rooms.ts';
import { StorageError } from '../storage/storage-error.ts';
import { attribute } from '../xml/element.ts';
import { parseElement } from '../xml/parse-element.ts';
import { parseFrame } from '../xml/parse-frame.ts';
import type { RoomArchive } from './archive-queries.ts';
import type { PortableRoom, PortableRoomMessage } from './portable-room.ts';
import { configText, listingOf } from './stored-changes.ts';

/** Dependencies of an import. */
interface ImportDeps {
  readonly store: RoomStore;
  readonly ids: RoomArchive['ids'];
  /** Milliseconds since 1970; no message is later. */
  readonly nowMs: number;
}

/** A room that is being imported, as its messages need it. */
interface ImportedRoom {
  readonly address: Jid;
  /** The number that it will have. */
  readonly number: number;
  readonly occupantKey: Buffer;
}

/** Everything that the store needs of a room besides its messages. */
interface RoomParts {
  readonly room: NewRoom;
  readonly listing: RoomListing;
  readonly changes: readonly StoredRoomChange[];
}

const keyBytes = 32;

/**
 * Begins the import of a room with the first messages of its archive, and returns the number with which it goes on; undefined if the address has
 * a room. There is no room before the import ends, and the next import to the address begins anew. Throws `invalid` if the room has a fault.
 */
export async function beginRoomImport(deps: ImportDeps, portable: PortableRoom): Promise<number | undefined> {
  const { messages, occupantKey = randomBytes(keyBytes).toString('base64'), ...rest } = portable;
  const content: PortableRoom = { ...rest, occupantKey, messages: [] };
  // A fault must show before the archive is read.
  partsOf(content, deps.nowMs);
  const address = operatorAddress(portable.room);
  const number = await begun(deps.store, { address: address.toString(), content: JSON.stringify(content) });
  if (number !== undefined) await append(deps, { address, number, occupantKey: keyOf(content) }, messages);
  return number;
}

/** Adds messages to the archive of a room that is being imported. Throws `not-found` if there is no such import, `invalid` if one has a fault. */
export async function importRoomMessages(
  deps: ImportDeps,
  number: number,
  messages: readonly PortableRoomMessage[],
): Promise<void> {
  const content = await contentOf(deps.store, number);
  const room = { address: operatorAddress(content.room), number, occupantKey: keyOf(content) };
  await append(deps, room, messages);
}

/** Creates the room with the messages so far. Throws `not-found` if there is no such import, `conflict` if the address has a room by now. */
export async function endRoomImport({ store, nowMs }: ImportDeps, number: number): Promise<void> {
  const { room, listing, changes } = partsOf(await contentOf(store, number), nowMs);
  try {
    await store.endImport(number, room, listing, changes);
  } catch (error) {
    if (!isConflict(error)) throw error;
    throw new OperationError('conflict', `Somebody has created a room ${room.address}.`);
  }
}

/** The number of a new import; undefined if the address has a room. */
async function begun(store: RoomStore, room: RoomImport): Promise<number | undefined> {
  try {
    return await store.beginImport(room);
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'conflict';
}

async function contentOf(store: RoomStore, number: number): Promise<PortableRoom> {
  const found = await store.findImport(number);
  if (!found) throw new OperationError('not-found', 'The import was given up, or another one has begun.');
  return JSON.parse(found.content) as PortableRoom;
}

function keyOf({ occupantKey = '' }: PortableRoom): Buffer {
  return Buffer.from(occupantKey, 'base64');
}

/** Throws `invalid` if the room has a fault. */
function partsOf(portable: PortableRoom, nowMs: number): RoomParts {
  const address = operatorAddress(portable.room);
  const config = configIn(portable);
  const occupantKey = keyOf(portable);
  return {
    room: {
      address: address.toString(),
      createdAtMs: nowMs,
      config: configText(config),
      occupantKey,
      affiliations: affiliationsIn(portable),
    },
    listing: listingOf(config),
    changes: belongingsOf(address, occupantKey, portable),
  };
}

/** The changes that give a new room its subject and its vCard. */
function belongingsOf(address: Jid, occupantKey: Buffer, { subject, vcard }: PortableRoom): StoredRoomChange[] {
  const belongings: StoredRoomChange[] = [];
  if (subject) {
    const message = stanzaOf(subject);
    const posted = asPosted(message, address, occupantIdIn(message, occupantKey)).toBytes();
    belongings.push({ kind: 'subject', subject: { message: posted, atMs: subject.atMs } });
  }
  if (vcard !== undefined) belongings.push({ kind: 'vcard', vcard: vcardIn(vcard) });
  return belongings;
}

function vcardIn(text: string): RoomVcard | undefined {
  try {
    return readRoomVcard(parseElement(text));
  } catch (error) {
    throw new OperationError('invalid', 'The vCard is invalid.', { cause: error });
  }
}

/** The configuration, which may lack options. Everything in it is a value that an owner could have chosen. */
function configIn({ room, config }: PortableRoom): RoomConfig {
  try {
    const written = { ...defaultRoomConfig, ...(JSON.parse(config) as Partial<RoomConfig>) };
    return withSettings(defaultRoomConfig, settingsOf(written));
  } catch (error) {
    throw new OperationError('invalid', `The configuration of ${room} is invalid.`, { cause: error });
  }
}

/** Of two users with the same reserved nickname, the first keeps it. */
function affiliationsIn({ affiliations }: PortableRoom): RoomAffiliation[] {
  const reserved = new Set<string>();
  return affiliations.flatMap(({ jid, affiliation: name, nick, reason }): RoomAffiliation[] => {
    const affiliation = affiliationNamed(name) ?? 'none';
    if (affiliation === 'none') return [];
    const key = nickKey(nick ?? '');
    const isFree = key !== '' && !reserved.has(key);
    reserved.add(key);
    const user = operatorAddress(jid).toString();
    return [{ jid: user, affiliation, reason, ...(isFree && { nick, nickKey: key }) }];
  });
}

async function append(
  { store, ids, nowMs }: ImportDeps,
  { address, number, occupantKey }: ImportedRoom,
  messages: readonly PortableRoomMessage[],
): Promise<void> {
  const numbers = await store.idsAt(messages.map(({ atMs }) => Math.min(atMs, nowMs)));
  const appended = messages.map((portable, index) => {
    const id = numbers[index] ?? 0;
    const written = stanzaOf(portable);
    const occupantId = portable.author?.occupantId ?? occupantIdIn(written, occupantKey);
    const message = portable.author ? written : asPosted(written, address, occupantId);
    const posted = withIdOf(address, message, ids.write(number, id));
    const author = portable.author?.jid ?? String(written.from);
    return store.append({ room: number, id, author, occupantId, bytes: posted.toBytes() });
  });
  await Promise.all(appended);
}

function stanzaOf({ xml }: PortableRoomMessage): Stanza {
  try {
    return Stanza.fromFrame(parseFrame(xml));
  } catch (error) {
    throw new OperationError('invalid', 'The XML of a message is invalid.', { cause: error });
  }
}

/** The message as the occupants would have got it here. */
function asPosted({ from, id, lang, payload }: Stanza, room: Jid, occupantId: string): Stanza {
  const content = withOccupantId(reflectable(payload, room), occupantId);
  return new Stanza('message', { from, id, type: 'groupchat', lang }, content);
}

/** The message with its id in the archive of the room, in place of any other. */
function withIdOf(room: Jid, message: Stanza, id: string): Stanza {
  const others = withoutStanzaIds(message.payload, (by) => by.equals(room));
  return message.with({ payload: withStanzaId(others, room, id) });
}

/** The occupant id that the other server has given; without one, each nickname has an id of its own. */
function occupantIdIn({ payload, from }: Stanza, key: Buffer): string {
  const child = payload.find('occupant-id', ns.occupantId);
  const given = child && attribute(payload.element(child), 'id');
  return given || createHmac('sha256', key).update(String(from)).digest('base64url');
}
