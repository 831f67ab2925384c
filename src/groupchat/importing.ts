import { createHmac, randomBytes } from 'node:crypto';
import type { Jid } from '../protocol/jid.ts';
import { nickKey } from '../protocol/muc/nick-key.ts';
import { reflectable, withOccupantId } from '../protocol/muc/reflection.ts';
import type { RoomConfig } from '../protocol/muc/room-config.ts';
import type { Affiliation } from '../protocol/muc/vocabulary.ts';
import { ns } from '../protocol/namespaces.ts';
import { Stanza } from '../protocol/stanza.ts';
import { withStanzaId } from '../protocol/stanza-id.ts';
import type { NewRoom, RoomStore } from '../storage/rooms.ts';
import { StorageError } from '../storage/storage-error.ts';
import { attribute } from '../xml/element.ts';
import type { RoomArchive } from './archive-queries.ts';
import { configText, listingOf } from './stored-changes.ts';

/** A message of a room. Its 'from' is the address of the occupant. */
interface ImportedMessage {
  readonly message: Stanza;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** A room that comes from another server. */
interface ImportedRoom {
  readonly address: Jid;
  readonly config: RoomConfig;
  readonly affiliations: readonly {
    readonly user: Jid;
    readonly affiliation: Affiliation;
    readonly nick?: string | undefined;
  }[];
  readonly subject?: ImportedMessage | undefined;
  /** Its archive, oldest first. */
  readonly messages: readonly ImportedMessage[];
}

const keyBytes = 32;

/** Creates a room with its archive. False if the address has a room, which stays unchanged. */
export async function importRoom(
  store: RoomStore,
  ids: RoomArchive['ids'],
  { address, config, affiliations, subject, messages }: ImportedRoom,
  nowMs: number,
): Promise<boolean> {
  const occupantKey = randomBytes(keyBytes);
  const number = await created(store, config, {
    address: address.toString(),
    createdAtMs: nowMs,
    config: configText(config),
    occupantKey,
    affiliations: affiliations.map(({ user, affiliation, nick }) => ({
      jid: user.toString(),
      affiliation,
      ...(nick !== undefined && { nick, nickKey: nickKey(nick) }),
    })),
  });
  if (number === undefined) return false;
  const numbers = await store.idsAt(messages.map(({ atMs }) => Math.min(atMs, nowMs)));
  const appended = messages.map(({ message }, index) => {
    const id = numbers[index] ?? 0;
    const occupantId = occupantIdIn(message, occupantKey);
    const posted = asPosted(message, address, occupantId, ids.write(number, id));
    return store.append({ room: number, id, author: String(message.from), occupantId, bytes: posted.toBytes() });
  });
  await Promise.all(appended);
  if (subject) {
    const posted = asPosted(subject.message, address, occupantIdIn(subject.message, occupantKey));
    await store.change(number, [{ kind: 'subject', subject: { message: posted.toBytes(), atMs: subject.atMs } }]);
  }
  return true;
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

/** The message as the occupants would have got it here. */
function asPosted(message: Stanza, room: Jid, occupantId: string, stanzaId?: string): Stanza {
  const { from, id, lang } = message;
  const content = withOccupantId(reflectable(message.payload, room), occupantId);
  const payload = stanzaId === undefined ? content : withStanzaId(content, room, stanzaId);
  return new Stanza('message', { from, id, type: 'groupchat', lang }, payload);
}

/** The occupant id that the other server has given; without one, each nickname has an id of its own. */
function occupantIdIn({ payload, from }: Stanza, key: Buffer): string {
  const child = payload.find('occupant-id', ns.occupantId);
  const given = child && attribute(payload.element(child), 'id');
  return given || createHmac('sha256', key).update(String(from)).digest('base64url');
}
