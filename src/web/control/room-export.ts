import { z } from 'zod';
import {
  type PortableRoom,
  type PortableRoomMessage,
  portableMessage,
  portableRoom,
} from '../../groupchat/portable-room.ts';
import { operation, operatorAddress } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { RoomRecord } from '../../storage/rooms.ts';
import { checkBegun } from './export-operations.ts';
import type { ServedDomains } from './served-domains.ts';

const largestPage = 500;
const text = z.string().min(1);

type Stored = Pick<ServedDomains, 'storage'>;

/** The addresses of rooms, in their order, a page at a time. */
export const listStoredRooms = operation({
  method: 'GET',
  path: '/rooms/addresses',
  input: z.strictObject({ after: z.string().default(''), limit: z.coerce.number().int().min(1).max(5000) }),
  run: async ({ storage }: Stored, { after, limit }): Promise<{ rooms: string[] }> => {
    const rooms = await storage.rooms.list(after, limit);
    return { rooms: rooms.map(({ address }) => address) };
  },
});

/** A room without its archive. */
export const exportRoom = operation({
  method: 'GET',
  path: '/rooms/export',
  // It reveals private data of users.
  recorded: true,
  subject: ({ room }) => room,
  input: z.strictObject({ room: text }),
  run: (served: Stored, { room }) => exported(served, room),
});

/** Like {@link exportRoom}, for an export that was begun. */
export const exportRoomWithin = operation({
  method: 'GET',
  path: '/exports/room',
  input: z.strictObject({ export: z.string(), room: text }),
  run: async (served: Pick<ServedDomains, 'storage' | 'exports'>, { export: id, room }) => {
    checkBegun(served, id);
    return exported(served, room);
  },
});

async function exported(served: Stored, room: string): Promise<PortableRoom> {
  const record = await recordOf(served, room);
  return portableRoom(record, await served.storage.rooms.vcard(record.room));
}

/** Messages of the archive of a room, oldest first. */
export const exportRoomMessages = operation({
  method: 'GET',
  path: '/rooms/export/messages',
  input: z.strictObject({
    room: text,
    after: z.coerce.number().int().default(0),
    limit: z.coerce.number().int().min(1).max(largestPage),
  }),
  run: async (served: Stored, { room, after, limit }): Promise<ExportedRoomMessages> => {
    const { room: number } = await recordOf(served, room);
    const range = { afterId: after, beforeId: Number.POSITIVE_INFINITY };
    const messages = await served.storage.rooms.page(number, range, limit, 'first');
    const next = messages.length < limit ? undefined : messages.at(-1)?.id;
    return { messages: messages.map(portableMessage), next };
  },
});

/** A page of the archive of a room. */
export interface ExportedRoomMessages {
  readonly messages: readonly PortableRoomMessage[];
  /** The `after` of the next page; absent if this is the last one. */
  readonly next?: number | undefined;
}

async function recordOf({ storage }: Stored, room: string): Promise<RoomRecord> {
  const { record } = await storage.rooms.open(operatorAddress(room).toString());
  if (!record) throw new OperationError('not-found', `There is no room ${room}.`);
  return record;
}
