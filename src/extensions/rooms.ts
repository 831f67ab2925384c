import { archiveIdsOf } from '../archives/archive-ids.ts';
import { archiveRetention, type RetentionOptions } from '../archives/retention.ts';
import type { ConfirmedMessages } from '../groupchat/confirmed-messages.ts';
import type { Announcement } from '../groupchat/room/decision.ts';
import { roomOperations } from '../groupchat/room-operations.ts';
import { type RoomServiceCommand, roomService } from '../groupchat/room-service.ts';
import { type RoomLimits, Rooms, type RoomsDeps } from '../groupchat/rooms.ts';
import type { DataForm } from '../protocol/data-form.ts';
import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { Claim, Extension } from '../routing/extension.ts';
import { type MaybePromise, then, useAll } from '../routing/maybe-promise.ts';
import type { Routing } from '../routing/routing.ts';
import type { Storage } from '../storage/storage.ts';
import type { Metric } from '../support/metric.ts';
import { xml } from '../xml/element.ts';

/** The options of rooms. */
export interface RoomOptions {
  /** The domains that have rooms. Empty if rooms are off. */
  readonly domains: readonly string[];
  readonly limits: RoomLimits;
  /** How long the archives of rooms keep messages. */
  readonly retention: RetentionOptions;
}

/** Dependencies of the extension. */
interface RoomExtensionDeps
  extends Pick<
      Routing,
      'isLocalDomain' | 'route' | 'routeAll' | 'sessions' | 'requests' | 'accounts' | 'filters' | 'hooks'
    >,
    Pick<RoomsDeps, 'listed' | 'clock' | 'log'> {
  readonly options: RoomOptions;
  /** Further forms in the descriptions of the services (XEP-0128), read at each use. */
  readonly forms: () => readonly DataForm[];
  readonly commands: () => readonly RoomServiceCommand[];
  readonly storage: Pick<Storage, 'rooms' | 'secrets'>;
}

/** How long a client of another server may take to answer a ping. */
const pingMs = 60_000;

const claims: readonly Claim[] = [
  {
    spec: 'XEP-0045',
    title: 'Multi-User Chat',
    version: '1.35.5',
    status: 'partial',
    note: 'a room does not enforce reserved nicknames; owners cannot backdate messages',
  },
  {
    spec: 'XEP-0249',
    title: 'Direct MUC Invitations',
    version: '1.2',
    status: 'complete',
    note: 'delivered and stored',
  },
  { spec: 'XEP-0421', title: 'Occupant identifiers for semi-anonymous MUCs', version: '1.0.1', status: 'complete' },
  { spec: 'XEP-0424', title: 'Message Retraction', version: '0.4.2', status: 'complete' },
  {
    spec: 'XEP-0425',
    title: 'Moderated Message Retraction',
    version: '0.3.0',
    status: 'complete',
    note: 'also for clients that know version 0.2',
  },
  {
    spec: 'XEP-0433',
    title: 'Extended Channel Search',
    version: '0.1.0',
    status: 'complete',
    note: 'pages go forward only',
  },
  { spec: 'XEP-0486', title: 'MUC Avatars', version: '0.1.0', status: 'complete' },
  { spec: 'XEP-0410', title: 'MUC Self-Ping', version: '1.1.3', status: 'complete' },
];

/** Rooms for many (XEP-0045), and their archives (XEP-0313). */
export function rooms(deps: RoomExtensionDeps): Extension {
  const { options, sessions, requests, route, routeAll, storage, clock, log } = deps;
  const { domains, limits, retention: keeping } = options;
  if (domains.length === 0) return { name: 'rooms', claims };
  const { rooms: store, secrets } = storage;
  const restored = Promise.withResolvers<void>();
  const all = new Rooms({
    ...deps,
    store,
    ids: archiveIdsOf(secrets, 'room-archive-ids'),
    limits,
    hasSession: (client) => sessions.find(client) !== undefined,
    restored: restored.promise,
    ping: (occupant, client) =>
      requests.refusal(occupant, client, xml('ping', { xmlns: ns.ping }), pingMs, (request) => void route(request)),
    send: (announcements, confirmed) => sendAll(announcements, confirmed, { routeAll, missed }),
  });
  const missed = (stanza: Stanza, member: Jid) => tellMember(stanza, member, deps);
  const failed = (error: unknown) => log.error({ err: error }, 'rooms could not be loaded after a restart');
  const tidied = { newId: () => store.newMessageId(), tidy: store.tidy.bind(store) };
  const retention = archiveRetention({ store: tidied, options: keeping, clock, log });
  let recovered = Promise.resolve();
  return {
    name: 'rooms',
    claims,
    metrics: roomMetrics(all, store),
    services: domains.map((domain) => roomService({ ...deps, domain, rooms: all, store })),
    operations: roomOperations.map(({ bind }) =>
      bind({ rooms: all, store, hasRooms: (domain) => domains.includes(domain) }),
    ),
    restored: restored.resolve,
    returned: (session) => {
      const occupied = [...session.presence.directed.values()].filter(({ domain }) => domains.includes(domain));
      for (const occupant of occupied) all.welcomeBack(occupant, session.jid).catch(failed);
    },
    opened: () => {
      retention.start();
      recovered = all.recover().catch(failed);
    },
    closing: async () => {
      await retention.stop();
      // The disk may have failed. The next start then takes it for a crash.
      await all.stop().catch((error: unknown) => log.warn({ err: error }, 'what rooms know could not be written'));
    },
    barred: (users) =>
      recovered
        .then(() => all.expel(users))
        .catch((error: unknown) => log.error({ err: error }, 'barred users may still be in rooms')),
    accountRemoved: (user) =>
      void all
        .forget(user)
        .catch((error: unknown) => log.error({ err: error }, 'a removed account is still affiliated with rooms')),
  };
}

function roomMetrics(all: Rooms, store: Pick<Storage['rooms'], 'countRooms'>): readonly Metric[] {
  return [
    {
      name: 'xmpp_rooms',
      help: 'Rooms.',
      type: 'gauge',
      read: async () => [{ value: (await store.countRooms('')).all }],
    },
    {
      name: 'xmpp_room_occupants',
      help: 'Occupants of all rooms.',
      type: 'gauge',
      read: () => [{ value: all.occupants }],
    },
  ];
}

/** Tells the devices of a local member of a message in a room that it is not in, unless it blocks the author or the room. */
function tellMember(
  stanza: Stanza,
  member: Jid,
  { isLocalDomain, accounts, filters, hooks, log }: RoomExtensionDeps,
): void {
  if (!isLocalDomain(member.domain)) return;
  const message = stanza.with({ to: member });
  const told = then(accounts.get(member), (account) => {
    if (account && !filters.refusesInbound(message, account)) hooks.missed(account, message);
  });
  if (told instanceof Promise)
    told.catch((error: unknown) => log.error({ err: error }, 'the devices of a member were not told of a message'));
}

/** Sends announcements in their order. An announcement to the occupants is neither recorded nor stored for absent users. */
function sendAll(
  announcements: readonly Announcement[],
  confirmed: ConfirmedMessages,
  { routeAll, missed }: Pick<Routing, 'routeAll'> & { readonly missed: (stanza: Stanza, member: Jid) => void },
): MaybePromise<void> {
  return useAll(announcements, (announcement) => {
    const { stanza, to, posted, isArchived, isForAbsent } = announcement;
    if (isForAbsent) {
      for (const member of to) missed(stanza, member);
      return;
    }
    const way = announcement.isPersonal
      ? undefined
      : { own: true, ...(isArchived && posted !== undefined && { archived: confirmed.archived(posted) }) };
    return routeAll(copiesOf(stanza, to), way);
  });
}

/** All copies share the content of their announcement. */
function* copiesOf(stanza: Stanza, clients: readonly Jid[]): Generator<Stanza> {
  for (const client of clients) yield stanza.with({ to: client });
}
