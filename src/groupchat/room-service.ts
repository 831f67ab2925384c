import type { DataForm } from '../protocol/data-form.ts';
import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { type ResultSetRequest, resultSetElement } from '../protocol/result-set.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Command } from '../routing/command.ts';
import { CommandDispatcher } from '../routing/command-dispatcher.ts';
import type { IqEnds, IqHandlerFor } from '../routing/iq-table.ts';
import type { LocalService } from '../routing/local-service.ts';
import { type MaybePromise, then } from '../routing/maybe-promise.ts';
import type { OutgoingRequests } from '../routing/outgoing-requests.ts';
import type { RoomStore } from '../storage/rooms.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { xml } from '../xml/element.ts';
import { parseElement } from '../xml/parse-element.ts';
import { archiveHandlers } from './archive-queries.ts';
import { describeRoom, describeService, roomItems } from './description.ts';
import { readMessage, readPresence, readRequest, type Wish } from './read-command.ts';
import { maySeeAvatar } from './room/avatar.ts';
import type { ExistingRoom } from './room/state.ts';
import { searchHandler } from './room-search.ts';
import type { Rooms } from './rooms.ts';

/** Dependencies of a service with rooms. */
interface RoomServiceDeps {
  readonly domain: string;
  readonly rooms: Pick<Rooms, 'take' | 'stateOf' | 'archiveOf' | 'refusalOf' | 'occupantsOf'>;
  readonly store: RoomStore;
  /** Whether a domain has accounts here. */
  readonly isLocalDomain: (domain: string) => boolean;
  /** The requests that rooms make themselves. */
  readonly requests: Pick<OutgoingRequests, 'settle'>;
  /** Further forms in the description of the service (XEP-0128), read at each use. */
  readonly forms: () => readonly DataForm[];
  /** Ad-hoc commands of the service, read at each use. */
  readonly commands: () => readonly RoomServiceCommand[];
  readonly clock: Clock;
  readonly log: Log;
}

/** The parts of an address of a service with rooms. */
type Scope = 'service' | 'room' | 'occupant';

/** An ad-hoc command of a service with rooms. */
export type RoomServiceCommand = Command<IqEnds<Scope>>;

const serviceName = 'Rooms';
/** The most rooms in one answer. */
const maxListed = 100;

/** The rooms of a domain (XEP-0045). */
export function roomService(deps: RoomServiceDeps): LocalService<Scope> {
  const { domain, rooms, store, requests, clock, log } = deps;
  const commands = new CommandDispatcher(deps.commands, clock);
  const description = () =>
    describeService(serviceName, { forms: deps.forms(), hasCommands: deps.commands().length > 0 });
  const take = (room: Jid, wish: Wish | undefined) => (wish ? rooms.take(room, wish) : undefined);
  return {
    domain,
    name: serviceName,
    scopeOf: ({ local, resource }) => (local === '' ? 'service' : resource === '' ? 'room' : 'occupant'),
    iq: [
      ...archiveHandlers('room', { archiveOf: (room) => rooms.archiveOf(room), store, log }),
      vcardOf(rooms, store),
      searchHandler('service', { ...deps, occupantsOf: (address) => rooms.occupantsOf(address) }),
      commands.handler(['service']),
      uniqueName,
    ],
    disco: {
      scopes: ['service', 'room'],
      info: ({ scope, from, to }, node) => {
        if (scope === 'service') return node === undefined ? description() : commands.nodes().get(node);
        return described(rooms, to, (room) => describeRoom(room, from, node));
      },
      items: (ends, node, wanted) => {
        const { scope, from, to } = ends;
        if (scope === 'room') return described(rooms, to, (room) => roomItems(room, from, node));
        if (node === ns.commands) return commands.items(ends).then((items) => ({ items }));
        return node === undefined ? listed(store, domain, wanted) : undefined;
      },
    },
    otherIq: (iq, { from, to, scope }) => {
      if (isAnswer(iq) && requests.settle(iq, from)) return true;
      if (scope === 'service') return false;
      return inNameOfRoom(to, () => {
        const wish = readRequest(iq, from, to);
        return wish ? then(rooms.take(to.bare(), wish), () => true) : false;
      });
    },
    refuses: (message) => {
      const { from, to } = endsOf(message);
      const wish = to.local === '' ? undefined : readMessage(message, from, to);
      const refusal = wish && rooms.refusalOf(to.bare(), wish);
      return refusal && namedBy(refusal, to);
    },
    message: (message) => {
      const { from, to } = endsOf(message);
      return inNameOfRoom(to, () => take(roomAt(to), readMessage(message, from, to)));
    },
    presence: (presence) => {
      const { from, to } = endsOf(presence);
      return inNameOfRoom(to, () => take(roomAt(to), readPresence(presence, from, to)));
    },
  };
}

/** The vCard of a room (XEP-0486 §4.4). */
function vcardOf(rooms: Pick<Rooms, 'archiveOf'>, store: Pick<RoomStore, 'vcard'>): IqHandlerFor<IqEnds<Scope>> {
  const handle = async ({ from, to }: IqEnds<Scope>) => {
    const { state, number } = await rooms.archiveOf(to);
    if (state.kind === 'absent' || number === undefined) throw StanzaError.itemNotFound('there is no such room');
    if (!maySeeAvatar(state, from)) throw StanzaError.forbidden('you may not see the vCard of this room');
    const found = await store.vcard(number);
    return found === undefined ? xml('vCard', { xmlns: ns.vcard }) : parseElement(found);
  };
  return { name: 'vCard', ns: ns.vcard, type: 'get', scopes: ['room'], handle };
}

/** A name that no room has, for a new one (XEP-0045 §10.1.4). */
const uniqueName: IqHandlerFor<IqEnds<Scope>> = {
  name: 'unique',
  ns: ns.mucUnique,
  type: 'get',
  scopes: ['service'],
  handle: () => xml('unique', { xmlns: ns.mucUnique }, randomId().toLowerCase()),
};

function described<Result>(rooms: Pick<Rooms, 'stateOf'>, to: Jid, describe: (room: ExistingRoom) => Result) {
  return then(rooms.stateOf(to), (room) => {
    if (room.kind === 'absent') throw StanzaError.itemNotFound('there is no such room');
    return describe(room);
  });
}

/** A page of the public rooms of a domain, in the order of their addresses. */
async function listed(
  store: Pick<RoomStore, 'publicRooms' | 'countPublicRooms'>,
  domain: string,
  { max = maxListed, after = '', before, index }: ResultSetRequest,
) {
  if (before !== undefined || index !== undefined) throw StanzaError.featureNotImplemented('pages go forward only');
  const [found, count] = await Promise.all([
    store.publicRooms(domain, after, Math.min(max, maxListed)),
    store.countPublicRooms(domain),
  ]);
  return {
    items: found.map(({ address: jid, name }) => ({ jid, ...(name !== '' && { name }) })),
    set: resultSetElement({ first: found[0]?.address, last: found.at(-1)?.address, count }),
  };
}

/** An error that comes from the address of an occupant says if it is the room that refuses (XEP-0045 §7.2, RFC 6120 §8.3.1). */
function inNameOfRoom<Result>(to: Jid, run: () => MaybePromise<Result>): MaybePromise<Result> {
  const refuse = (error: unknown): never => {
    throw error instanceof StanzaError ? namedBy(error, to) : error;
  };
  try {
    const result = run();
    return result instanceof Promise && !to.isBare ? result.catch(refuse) : result;
  } catch (error) {
    return refuse(error);
  }
}

function namedBy(error: StanzaError, to: Jid): StanzaError {
  return to.isBare || error.by !== undefined ? error : error.returnedBy(to.bare());
}

function isAnswer({ type }: Stanza): boolean {
  return type === 'result' || type === 'error';
}

function roomAt(to: Jid): Jid {
  if (to.local === '') throw StanzaError.serviceUnavailable('this is no room');
  return to.bare();
}

function endsOf({ from, to }: Stanza): { readonly from: Jid; readonly to: Jid } {
  if (!from || !to) throw new Error('a stanza for a service has both addresses');
  return { from, to };
}
