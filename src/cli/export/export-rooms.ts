import { type PortableRoom, type RoomFileLine, roomFileHeader } from '../../groupchat/portable-room.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { Operator } from '../../web/control/operator.ts';
import type { ExportedRoomMessages } from '../../web/control/room-export.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { operations } from '../operations.ts';

/** Rooms and messages in one answer. */
const roomsAtOnce = 1000;
const messagesAtOnce = 200;

/**
 * A room, or all rooms, as lines for `room import`. Holds one page of an archive in memory. Rejects with `not-found` if there is no such
 * room; a room that is destroyed meanwhile is left out.
 */
export async function* exportedRooms(
  operator: Operator<ServedDomains>,
  wanted: string | undefined,
): AsyncGenerator<string> {
  const read = (room: string) => operator.call(operations.exportRoom, { room });
  if (wanted === undefined) return yield* exportedAll(operator, read);
  yield line(roomFileHeader);
  yield* exportedRoom(operator, wanted, read);
}

/** All rooms, in an export that was begun. */
export function exportedRoomsWithin(operator: Operator<ServedDomains>, id: string): AsyncGenerator<string> {
  return exportedAll(operator, (room) => operator.call(operations.exportRoomWithin, { export: id, room }));
}

/** Reads a room without its archive. */
type ReadRoom = (room: string) => Promise<PortableRoom>;

async function* exportedAll(operator: Operator<ServedDomains>, read: ReadRoom): AsyncGenerator<string> {
  yield line(roomFileHeader);
  for await (const room of allRooms(operator)) yield* unlessGone(exportedRoom(operator, room, read));
}

async function* allRooms(operator: Operator<ServedDomains>): AsyncGenerator<string> {
  for (let after = '', more = true; more; ) {
    const asked = operator.call(operations.listStoredRooms, { after, limit: roomsAtOnce });
    const { rooms }: { rooms: string[] } = await asked;
    yield* rooms;
    after = rooms.at(-1) ?? after;
    more = rooms.length === roomsAtOnce;
  }
}

async function* exportedRoom(operator: Operator<ServedDomains>, room: string, read: ReadRoom): AsyncGenerator<string> {
  yield line({ room: await read(room) });
  for (let after: number | undefined = 0; after !== undefined; ) {
    const asked = operator.call(operations.exportRoomMessages, { room, after, limit: messagesAtOnce });
    const page: ExportedRoomMessages = await asked;
    yield page.messages.map((message) => line({ message })).join('');
    after = page.next;
  }
}

async function* unlessGone(lines: AsyncGenerator<string>): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch (error) {
    if (!(error instanceof OperationError && error.code === 'not-found')) throw error;
  }
}

function line(content: RoomFileLine): string {
  return `${JSON.stringify(content)}\n`;
}
