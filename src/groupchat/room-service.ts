import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { LocalService } from '../routing/local-service.ts';
import { then } from '../routing/maybe-promise.ts';
import type { OutgoingRequests } from '../routing/outgoing-requests.ts';
import type { RoomStore } from '../storage/rooms.ts';
import type { Log } from '../support/log.ts';
import { archiveHandlers } from './archive-queries.ts';
import { describeRoom, describeService } from './description.ts';
import { readMessage, readPresence, readRequest, type Wish } from './read-command.ts';
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
    iq: [...archiveHandlers('room', { archiveOf: (room) => rooms.archiveOf(room), store, log })],
    disco: {
      scopes: ['service', 'room'],
      info: ({ scope, from, to }, node) => {
        if (node !== undefined) return undefined;
        return scope === 'service' ? describeService(serviceName) : described(rooms, to, from);
      },
      items: ({ scope }, node) => {
        if (node !== undefined) return undefined;
        return scope === 'service' ? listed(store, domain) : [];
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

function described(rooms: Pick<Rooms, 'stateOf'>, to: Jid, asker: Jid) {
  return then(rooms.stateOf(to), (room) => {
    if (room.kind === 'absent') throw StanzaError.itemNotFound('there is no such room');
    return describeRoom(room, asker);
  });
}

async function listed(store: Pick<RoomStore, 'publicRooms'>, domain: string) {
  const found = await store.publicRooms(domain, '', maxListed);
  return found.map(({ address: jid, name }) => ({ jid, ...(name !== '' && { name }) }));
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
