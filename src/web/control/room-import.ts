import { z } from 'zod';
import { archiveIdsOf } from '../../archives/archive-ids.ts';
import { importRoom, importRoomMessages } from '../../groupchat/importing.ts';
import { portableRoomMessageSchema, portableRoomSchema } from '../../groupchat/portable-room.ts';
import { operation } from '../../routing/operation.ts';
import { systemClock } from '../../support/clock.ts';
import type { ServedDomains } from './served-domains.ts';

/** Creates a room with the first messages of its archive, unless the address has a room. */
export const importRoomOperation = operation({
  method: 'POST',
  path: '/rooms/import',
  subject: ({ room }) => room,
  input: portableRoomSchema,
  run: async (served: Pick<ServedDomains, 'storage'>, portable): Promise<{ created: boolean }> => ({
    created: await importRoom(await depsOf(served), portable),
  }),
});

/** Adds messages to the archive of a room that was imported. */
export const importRoomMessagesOperation = operation({
  method: 'POST',
  path: '/rooms/import/messages',
  // The import of the room was recorded.
  recorded: false,
  input: z.strictObject({ room: z.string().min(1), messages: z.array(portableRoomMessageSchema) }),
  run: async (served: Pick<ServedDomains, 'storage'>, { room, messages }): Promise<object> => {
    await importRoomMessages(await depsOf(served), room, messages);
    return {};
  },
});

async function depsOf({ storage }: Pick<ServedDomains, 'storage'>) {
  const ids = await archiveIdsOf(storage.secrets, 'room-archive-ids')();
  return { store: storage.rooms, ids, nowMs: systemClock.nowMs() };
}
