import { z } from 'zod';
import { archiveIdsOf } from '../../archives/archive-ids.ts';
import { importRoom } from '../../groupchat/importing.ts';
import { Jid } from '../../protocol/jid.ts';
import { defaultRoomConfig, type RoomConfig } from '../../protocol/muc/room-config.ts';
import { affiliationNamed } from '../../protocol/muc/vocabulary.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { operation, operatorAddress } from '../../routing/operation.ts';
import { systemClock } from '../../support/clock.ts';
import { parseFrame } from '../../xml/parse-frame.ts';
import type { ServedDomains } from './served-domains.ts';

/** A message of a room, as it travels between programs. */
interface PortableRoomMessage {
  readonly atMs: number;
  /** Its 'from' is the address of the occupant. */
  readonly xml: string;
}

/** A room with its archive, as it travels between programs. */
export interface PortableRoom {
  readonly room: string;
  /** Its configuration (`RoomConfig`), as JSON. */
  readonly config: string;
  readonly affiliations: readonly {
    readonly jid: string;
    readonly affiliation: string;
    readonly nick?: string | undefined;
  }[];
  readonly subject?: PortableRoomMessage | undefined;
  /** Oldest first. */
  readonly messages: readonly PortableRoomMessage[];
}

const text = z.string().min(1);
const messageSchema = z.strictObject({ atMs: z.int().nonnegative(), xml: text });

const roomSchema: z.ZodType<PortableRoom> = z.strictObject({
  room: text,
  config: text,
  affiliations: z.array(z.strictObject({ jid: text, affiliation: text, nick: text.optional() })),
  subject: messageSchema.optional(),
  messages: z.array(messageSchema),
});

/** Creates a room with its archive, unless the address has one. */
export const importRoomOperation = operation({
  method: 'POST',
  path: '/rooms/import',
  subject: ({ room }) => room,
  input: roomSchema,
  run: async ({ storage }: Pick<ServedDomains, 'storage'>, portable): Promise<{ created: boolean }> => {
    const { room, config, affiliations, subject, messages } = portable;
    const ids = await archiveIdsOf(storage.secrets, 'room-archive-ids')();
    const imported = {
      address: operatorAddress(room),
      config: { ...defaultRoomConfig, ...(JSON.parse(config) as Partial<RoomConfig>) },
      affiliations: affiliations.map(({ jid, affiliation, nick }) => {
        return { user: Jid.parse(jid), affiliation: affiliationNamed(affiliation) ?? 'none', nick };
      }),
      subject: subject && read(subject),
      messages: messages.map(read),
    };
    return { created: await importRoom(storage.rooms, ids, imported, systemClock.nowMs()) };
  },
});

function read({ atMs, xml }: PortableRoomMessage) {
  return { atMs, message: Stanza.fromFrame(parseFrame(xml)) };
}
