import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Jid } from '../protocol/jid.ts';
import { nickKey } from '../protocol/muc/nick-key.ts';
import { defaultRoomConfig, type RoomConfig, settingsOf, withSettings } from '../protocol/muc/room-config.ts';
import { affiliationNamed } from '../protocol/muc/vocabulary.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import { type BindableOperation, operation, operatorAddress } from '../routing/operation.ts';
import { OperationError } from '../routing/operation-error.ts';
import type { RoomStore, RoomSummary } from '../storage/rooms.ts';
import type { ExistingRoom } from './room/state.ts';
import type { Rooms } from './rooms.ts';

/** The rooms of a running server, as operations see them. */
export interface OperatedRooms {
  readonly rooms: Pick<Rooms, 'stateOf' | 'operate' | 'purge'>;
  /** Whether a domain has rooms. */
  readonly hasRooms: (domain: string) => boolean;
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
const settings = z.record(z.string(), z.string()).default({});
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
    const user = userAddress(jid);
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

/** Creates a room. */
export const createRoom = operation({
  method: 'POST',
  path: '/room',
  subject: ({ room }) => room,
  input: z.strictObject({ room: text, owner: text.optional(), settings }),
  run: async ({ rooms, hasRooms }: OperatedRooms, { room, owner: name, settings: written }) => {
    const address = roomAddress(room);
    if (!hasRooms(address.domain)) throw new OperationError('invalid', `${address.domain} has no rooms.`);
    const owner = name === undefined ? undefined : userAddress(name);
    const config = withWritten(defaultRoomConfig, written);
    const state = await rooms.stateOf(address);
    if (state.kind === 'existing') throw new OperationError('conflict', `There is a room ${room} already.`);
    await operated(() => rooms.operate(address, { kind: 'create', owner, config, occupantKey: randomBytes(32) }));
    return {};
  },
});

/** Shows the configuration of a room. */
export const showConfig = operation({
  method: 'GET',
  path: '/room/config',
  input: z.strictObject({ room: text }),
  run: async ({ rooms }: OperatedRooms, { room }) => settingsOf((await existingAt(rooms, room)).config),
});

/** Changes the configuration of a room. */
export const configureRoom = operation({
  method: 'PUT',
  path: '/room/config',
  subject: ({ room }) => room,
  input: z.strictObject({ room: text, settings }),
  run: async ({ rooms }: OperatedRooms, { room, settings: written }) => {
    const { address, config } = await existingAt(rooms, room);
    const changed = withWritten(config, written);
    await operated(() => rooms.operate(address, { kind: 'reconfigure', config: changed }));
    return {};
  },
});

/** Removes an occupant with all its clients. It may enter again. */
export const kickOccupant = operation({
  method: 'POST',
  path: '/room/kick',
  subject: ({ room, nick }) => `${room}/${nick}`,
  input: z.strictObject({ room: text, nick: text, reason: text.optional() }),
  run: async ({ rooms }: OperatedRooms, { room, nick, reason }) => {
    const { address, occupants } = await existingAt(rooms, room);
    if (!occupants.named(nickKey(nick))) throw new OperationError('not-found', `Nobody in ${room} is ${nick}.`);
    await operated(() => rooms.operate(address, { kind: 'eject', nicks: [nick], reason }));
    return {};
  },
});

/** Removes the archived messages of a room: all, or those before a time. With `atLeast` it may end when it has removed so many. */
export const purgeRoom = operation({
  method: 'DELETE',
  path: '/room/archive',
  subject: ({ room }) => room,
  input: z.strictObject({
    room: text,
    beforeMs: z.coerce.number().int().optional(),
    atLeast: z.coerce.number().int().positive().optional(),
  }),
  run: async ({ rooms }: OperatedRooms, { room, beforeMs, atLeast }) => {
    const { address } = await existingAt(rooms, room);
    return { removed: await rooms.purge(address, beforeMs, atLeast) };
  },
});

/** The operations about rooms. */
export const roomOperations: readonly BindableOperation<OperatedRooms>[] = [
  listRooms,
  showRoom,
  createRoom,
  showConfig,
  configureRoom,
  kickOccupant,
  purgeRoom,
  setAffiliation,
  destroyRoom,
];

function withWritten(config: RoomConfig, written: Readonly<Record<string, string>>): RoomConfig {
  try {
    return withSettings(config, written);
  } catch (error) {
    throw explained(error);
  }
}

/** Runs a command; a refusal of the room becomes an error for the operator. */
async function operated(run: () => MaybePromise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  return error instanceof StanzaError ? new OperationError('invalid', `${error.text ?? error.condition}.`) : error;
}

async function existingAt(rooms: OperatedRooms['rooms'], room: string): Promise<ExistingRoom> {
  const state = await rooms.stateOf(roomAddress(room));
  if (state.kind === 'absent') throw new OperationError('not-found', `There is no room ${room}.`);
  return state;
}

function userAddress(jid: string): Jid {
  const user = operatorAddress(jid);
  if (!user.isBare) throw new OperationError('invalid', `${jid} is not the address of an account or a domain.`);
  return user;
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
