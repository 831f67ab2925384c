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
import type { NewRoom, RoomAffiliation, RoomStore, StoredRoomChange } from '../storage/rooms.ts';
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

/** A room in the store, as its messages need it. */
interface ImportedRoom {
  readonly address: Jid;
  readonly number: number;
  readonly occupantKey: Buffer;
}

const keyBytes = 32;

/** Creates a room. False if the address has a room, which stays unchanged. Throws `invalid` if it has a fault; then there is no room. */
export async function importRoom(deps: ImportDeps, portable: PortableRoom): Promise<boolean> {
  const { store, nowMs } = deps;
  const address = operatorAddress(portable.room);
  const config = configIn(portable);
  const { occupantKey: key } = portable;
  const occupantKey = key === undefined ? randomBytes(keyBytes) : Buffer.from(key, 'base64');
  const belongings = belongingsOf(address, occupantKey, portable);
  const number = await created(store, config, {
    address: address.toString(),
    createdAtMs: nowMs,
    config: configText(config),
    occupantKey,
    affiliations: affiliationsIn(portable),
  });
  if (number === undefined) return false;
  try {
    await append(deps, { address, number, occupantKey }, portable.messages);
    if (belongings.length > 0) await store.change(number, belongings);
  } catch (error) {
    await store.destroy(number, undefined);
    throw error;
  }
  return true;
}

/** Adds messages to the archive of a room that was imported before. Throws `not-found` if there is no such room. */
export async function importRoomMessages(
  deps: ImportDeps,
  room: string,
  messages: readonly PortableRoomMessage[],
): Promise<void> {
  const address = operatorAddress(room);
  const { record } = await deps.store.open(address.toString());
  if (!record) throw new OperationError('not-found', `There is no room ${room}.`);
  await append(deps, { address, number: record.room, occupantKey: record.occupantKey }, messages);
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

/** The number of the new room; undefined if there is one. */
async function created(store: RoomStore, config: RoomConfig, room: NewRoom): Promise<number | undefined> {
  try {
    return await store.create(room, listingOf(config));
  } catch (error) {
    if (error instanceof StorageError && error.code === 'conflict') return undefined;
    throw error;
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
