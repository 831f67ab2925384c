import { z } from 'zod';
import { timeOfId } from '../storage/ordered-ids.ts';
import type { RoomMessage, RoomRecord } from '../storage/rooms.ts';

/** A message of a room, as it travels between programs. */
export interface PortableRoomMessage {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Its 'from' is the address of the occupant, or of the room. */
  readonly xml: string;
  /** Present if the message is as a room of this software has posted it. */
  readonly author?: PortableAuthor | undefined;
}

interface PortableAuthor {
  /** The full JID. */
  readonly jid: string;
  readonly occupantId: string;
}

/** A room, as it travels between programs. */
export interface PortableRoom {
  readonly room: string;
  /** Its configuration (`RoomConfig`), as JSON. */
  readonly config: string;
  /** The key of the ids of its occupants, in Base64. Without it, the room gets a new one. */
  readonly occupantKey?: string | undefined;
  readonly affiliations: readonly {
    readonly jid: string;
    readonly affiliation: string;
    /** The reserved nickname. */
    readonly nick?: string | undefined;
    readonly reason?: string | undefined;
  }[];
  /** Its vCard, as XML. */
  readonly vcard?: string | undefined;
  readonly subject?: PortableRoomMessage | undefined;
  /** The first messages of its archive, oldest first. More may follow. */
  readonly messages: readonly PortableRoomMessage[];
}

const text = z.string().min(1);

export const portableRoomMessageSchema: z.ZodType<PortableRoomMessage> = z.strictObject({
  atMs: z.int().nonnegative(),
  xml: text,
  author: z.strictObject({ jid: text, occupantId: z.string() }).optional(),
});

export const portableRoomSchema: z.ZodType<PortableRoom> = z.strictObject({
  room: text,
  config: text,
  occupantKey: z.base64().min(1).optional(),
  affiliations: z.array(
    z.strictObject({ jid: text, affiliation: text, nick: text.optional(), reason: text.optional() }),
  ),
  vcard: text.optional(),
  subject: portableRoomMessageSchema.optional(),
  messages: z.array(portableRoomMessageSchema),
});

/** The first line of a file with rooms. */
export const roomFileHeader = { format: 'ampere-rooms', version: 1 } as const;

/** A line of such a file, as JSON: its header, a room, or a message of the archive of the room above it. */
export type RoomFileLine =
  | typeof roomFileHeader
  | { readonly room: PortableRoom }
  | { readonly message: PortableRoomMessage };

/** A stored room with its vCard, without its archive. */
export function portableRoom(
  { address, config, occupantKey, affiliations, subject }: RoomRecord,
  vcard: string | undefined,
): PortableRoom {
  return {
    room: address,
    config,
    occupantKey: occupantKey.toString('base64'),
    affiliations: affiliations.map(({ nickKey: _, reason, ...one }) => ({ ...one, ...(reason && { reason }) })),
    ...(vcard !== undefined && { vcard }),
    ...(subject && { subject: { atMs: subject.atMs, xml: subject.message.toString() } }),
    messages: [],
  };
}

/** A message of the archive of a room. */
export function portableMessage({ id, bytes, author, occupantId }: RoomMessage): PortableRoomMessage {
  return { atMs: timeOfId(id), xml: bytes.toString(), author: { jid: author, occupantId } };
}
