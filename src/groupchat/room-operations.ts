import { z } from 'zod';
import type { Jid } from '../protocol/jid.ts';
import { affiliationNamed } from '../protocol/muc/vocabulary.ts';
import { type BindableOperation, operation, operatorAddress } from '../routing/operation.ts';
import { OperationError } from '../routing/operation-error.ts';
import type { RoomStore, RoomSummary } from '../storage/rooms.ts';
import type { ExistingRoom } from './room/state.ts';
import type { Rooms } from './rooms.ts';

/** The rooms of a running server, as operations see them. */
export interface OperatedRooms {
  readonly rooms: Pick<Rooms, 'stateOf' | 'operate'>;
  readonly store: Pick<RoomStore, 'list'>;
}

/** A room, for the operator. */
export interface RoomReport {
  readonly address: string;
  readonly name: string;
  readonly public: boolean;
  readonly persistent: boolean;
  readonly membersOnly: boolean;
  readonly occupants: readonly { readonly nick: string; readonly role: string; readonly jids: readonly string[] }[];
  readonly affiliations: readonly { readonly jid: string; readonly affiliation: string }[];
}

const text = z.string().min(1);
const affiliation = z.enum(['owner', 'admin', 'member', 'none', 'outcast']);

/** Lists rooms in the order of their addresses, a page at a time. */
export const listRooms = operation({
  method: 'GET',
  path: '/rooms',
  input: z.strictObject({ after: z.string().optional(), limit: z.coerce.number().int().min(1).max(5000) }),
  run: async ({ store }: OperatedRooms, { after = '', limit }): Promise<{ rooms: RoomSummary[] }> => ({
    rooms: await store.list(after, limit),
  }),
});

/** Shows one room with its occupants and affiliations. */
export const showRoom = operation({
  method: 'GET',
  path: '/room',
  input: z.strictObject({ room: text }),
  run: async ({ rooms }: OperatedRooms, { room }): Promise<RoomReport> => reportOf(await existingAt(rooms, room)),
});

/** Gives a user an affiliation, whatever the rights in the room are. */
export const setAffiliation = operation({
  method: 'PUT',
  path: '/room/affiliation',
  subject: ({ room, jid }) => `${room}, ${jid}`,
  input: z.strictObject({ room: text, jid: text, affiliation }),
  run: async ({ rooms }: OperatedRooms, { room, jid, affiliation: name }) => {
    const { address } = await existingAt(rooms, room);
    const user = operatorAddress(jid);
    if (!user.isBare) throw new OperationError('invalid', `${jid} is not the address of an account or a domain.`);
    await rooms.operate(address, { kind: 'set-affiliation', user, affiliation: affiliationNamed(name) ?? 'none' });
    return {};
  },
});

/** Destroys a room with its archive. */
export const destroyRoom = operation({
  method: 'DELETE',
  path: '/room',
  subject: ({ room }) => room,
  input: z.strictObject({ room: text, reason: text.optional() }),
  run: async ({ rooms }: OperatedRooms, { room, reason }) => {
    const { address } = await existingAt(rooms, room);
    await rooms.operate(address, { kind: 'remove', destruction: { reason } });
    return {};
  },
});

/** The operations about rooms. */
export const roomOperations: readonly BindableOperation<OperatedRooms>[] = [
  listRooms,
  showRoom,
  setAffiliation,
  destroyRoom,
];

async function existingAt(rooms: OperatedRooms['rooms'], room: string): Promise<ExistingRoom> {
  const state = await rooms.stateOf(roomAddress(room));
  if (state.kind === 'absent') throw new OperationError('not-found', `There is no room ${room}.`);
  return state;
}

function roomAddress(room: string): Jid {
  const address = operatorAddress(room);
  if (address.local !== '' && address.isBare) return address;
  throw new OperationError('invalid', `${room} is not the address of a room, such as hall@conference.example.org.`);
}

function reportOf({ address, config, occupants, affiliations }: ExistingRoom): RoomReport {
  return {
    address: address.toString(),
    name: config.name,
    public: config.public,
    persistent: config.persistent,
    membersOnly: config.membersOnly,
    occupants: [...occupants.all].map(({ nick, role, sessions }) => ({
      nick,
      role,
      jids: sessions.map(({ jid }) => jid.toString()),
    })),
    affiliations: [...affiliations].map(([jid, { affiliation: name }]) => ({ jid, affiliation: name })),
  };
}
