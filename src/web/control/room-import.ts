import { z } from 'zod';
import { archiveIdsOf } from '../../archives/archive-ids.ts';
import { beginRoomImport, endRoomImport, importRoomMessages } from '../../groupchat/importing.ts';
import { portableRoomMessageSchema, portableRoomSchema } from '../../groupchat/portable-room.ts';
import { operation } from '../../routing/operation.ts';
import { systemClock } from '../../support/clock.ts';
import type { ServedDomains } from './served-domains.ts';

/** Begins the import of a room with the first messages of its archive. The result has no number if the address has a room. */
export const beginRoomImportOperation = operation({
  method: 'POST',
  path: '/rooms/import',
  subject: ({ room }) => room,
  input: portableRoomSchema,
  run: async (served: Pick<ServedDomains, 'storage'>, portable): Promise<{ number?: number | undefined }> => ({
    number: await beginRoomImport(await depsOf(served), portable),
  }),
});

const number = z.coerce.number().int().positive();

/** Adds messages to the archive of a room that is being imported. */
export const importRoomMessagesOperation = operation({
  method: 'POST',
  path: '/rooms/import/messages',
  // The beginning was recorded.
  recorded: false,
  input: z.strictObject({ number, messages: z.array(portableRoomMessageSchema) }),
  run: async (served: Pick<ServedDomains, 'storage'>, { number: room, messages }): Promise<object> => {
    await importRoomMessages(await depsOf(served), room, messages);
    return {};
  },
});

/** Creates the room of an import, with the messages so far. */
export const endRoomImportOperation = operation({
  method: 'POST',
  path: '/rooms/import/end',
  recorded: false,
  input: z.strictObject({ number }),
  run: async (served: Pick<ServedDomains, 'storage'>, { number: room }): Promise<object> => {
    await endRoomImport(await depsOf(served), room);
    return {};
  },
});

async function depsOf({ storage }: Pick<ServedDomains, 'storage'>) {
  const ids = await archiveIdsOf(storage.secrets, 'room-archive-ids')();
  return { store: storage.rooms, ids, nowMs: systemClock.nowMs() };
}
