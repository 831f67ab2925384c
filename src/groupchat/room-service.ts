import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { type ResultSetRequest, resultSetElement } from '../protocol/result-set.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { IqEnds, IqHandlerFor } from '../routing/iq-table.ts';
import type { LocalService } from '../routing/local-service.ts';
import { then } from '../routing/maybe-promise.ts';
import type { OutgoingRequests } from '../routing/outgoing-requests.ts';
import type { RoomStore } from '../storage/rooms.ts';
import type { Log } from '../support/log.ts';
import { xml } from '../xml/element.ts';
import { archiveHandlers } from './archive-queries.ts';
import { describeRoom, describeService, roomItems } from './description.ts';
import { readMessage, readPresence, readRequest, type Wish } from './read-command.ts';
import type { ExistingRoom } from './room/state.ts';
import type { Rooms } from './rooms.ts';

/** Dependencies of a service with rooms. */
interface RoomServiceDeps {
  readonly domain: string;
  readonly rooms: Pick<Rooms, 'take' | 'stateOf' | 'archiveOf' | 'refusalOf'>;
  readonly store: RoomStore;
  /** The requests that rooms make themselves. */
  readonly requests: Pick<OutgoingRequests, 'settle'>;
  readonly log: Log;
}

/** The parts of an address of a service with rooms. */
type Scope = 'service' | 'room' | 'occupant';

const serviceName = 'Rooms';
/** The most rooms in one answer. */
const maxListed = 100;

/** The rooms of a domain (XEP-0045). */
export function roomService({ domain, rooms, store, requests, log }: RoomServiceDeps): LocalService<Scope> {
  const take = (room: Jid, wish: Wish | undefined) => (wish ? rooms.take(room, wish) : undefined);
  return {
    domain,
    name: serviceName,
    scopeOf: ({ local, resource }) => (local === '' ? 'service' : resource === '' ? 'room' : 'occupant'),
    iq: [...archiveHandlers('room', { archiveOf: (room) => rooms.archiveOf(room), store, log }), uniqueName],
    disco: {
      scopes: ['service', 'room'],
      info: ({ scope, from, to }, node) => {
        if (scope === 'service') return node === undefined ? describeService(serviceName) : undefined;
        return described(rooms, to, (room) => describeRoom(room, from, node));
      },
      items: ({ scope, from, to }, node, wanted) => {
        if (scope === 'room') return described(rooms, to, (room) => roomItems(room, from, node));
        return node === undefined ? listed(store, domain, wanted) : undefined;
      },
    },
    otherIq: (iq, { from, to, scope }) => {
      if (isAnswer(iq) && requests.settle(iq, from)) return true;
      const wish = scope === 'service' ? undefined : readRequest(iq, from, to);
      return wish ? then(rooms.take(to.bare(), wish), () => true) : false;
    },
    refuses: (message) => {
      const { from, to } = ends(message);
      const wish = to.local === '' ? undefined : readMessage(message, from, to);
      return wish && rooms.refusalOf(to.bare(), wish);
    },
    message: (message) => {
      const { from, to } = ends(message);
      return take(roomAt(to), readMessage(message, from, to));
    },
    presence: (presence) => {
      const { from, to } = ends(presence);
      return take(roomAt(to), readPresence(presence, from, to));
    },
  };
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

function isAnswer({ type }: Stanza): boolean {
  return type === 'result' || type === 'error';
}

function roomAt(to: Jid): Jid {
  if (to.local === '') throw StanzaError.serviceUnavailable('this is no room');
  return to.bare();
}

function ends({ from, to }: Stanza): { readonly from: Jid; readonly to: Jid } {
  if (!from || !to) throw new Error('a stanza for a service has both addresses');
  return { from, to };
}
