import { archiveIdsOf } from '../archives/archive-ids.ts';
import { Retention, type RetentionOptions } from '../archives/retention.ts';
import type { Announcement } from '../groupchat/room/decision.ts';
import { roomOperations } from '../groupchat/room-operations.ts';
import { roomService } from '../groupchat/room-service.ts';
import { type RoomLimits, Rooms, type RoomsDeps } from '../groupchat/rooms.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { Claim, Extension } from '../routing/extension.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Routing } from '../routing/routing.ts';
import type { Storage } from '../storage/storage.ts';
import type { Metric } from '../support/metric.ts';

/** The options of rooms. */
export interface RoomOptions {
  /** The domains that have rooms. Empty if rooms are off. */
  readonly domains: readonly string[];
  readonly limits: RoomLimits;
  /** How long the archives of rooms keep messages. */
  readonly retention: RetentionOptions;
}

/** Dependencies of the extension. */
interface RoomExtensionDeps extends Pick<Routing, 'isLocalDomain' | 'routeAll'>, Pick<RoomsDeps, 'clock' | 'log'> {
  readonly options: RoomOptions;
  readonly storage: Pick<Storage, 'rooms' | 'secrets'>;
}

const claims: readonly Claim[] = [
  {
    spec: 'XEP-0045',
    title: 'Multi-User Chat',
    version: '1.35.5',
    status: 'partial',
    note: 'occupants enter again after a restart of the server; no hats',
  },
  { spec: 'XEP-0421', title: 'Occupant identifiers for semi-anonymous MUCs', version: '1.0.1', status: 'complete' },
  { spec: 'XEP-0424', title: 'Message Retraction', version: '0.4.2', status: 'complete' },
  { spec: 'XEP-0425', title: 'Moderated Message Retraction', version: '0.3.0', status: 'complete' },
  { spec: 'XEP-0410', title: 'MUC Self-Ping', version: '1.1.3', status: 'complete' },
];

/** Rooms for many (XEP-0045), and their archives (XEP-0313). */
export function rooms({ options, isLocalDomain, routeAll, storage, clock, log }: RoomExtensionDeps): Extension {
  const { domains, limits, retention: keeping } = options;
  if (domains.length === 0) return { name: 'rooms', claims };
  const { rooms: store, secrets } = storage;
  const send = (announcements: readonly Announcement[]) => sendAll(announcements, routeAll);
  const all = new Rooms({
    store,
    ids: archiveIdsOf(secrets, 'room-archive-ids'),
    limits,
    isLocalDomain,
    send,
    clock,
    log,
  });
  const tidied = { newId: () => store.newMessageId(), tidy: store.tidy.bind(store) };
  const retention = new Retention({ store: tidied, options: keeping, clock, log });
  return {
    name: 'rooms',
    claims,
    metrics: roomMetrics(all, store),
    services: domains.map((domain) => roomService({ domain, rooms: all, store, log })),
    operations: roomOperations.map(({ bind }) => bind({ rooms: all, store })),
    opened: () => retention.start(),
    closing: () => retention.stop(),
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

/** Sends announcements in their order. What is for all is neither recorded nor stored for absent users. */
function sendAll(announcements: readonly Announcement[], routeAll: Routing['routeAll']): MaybePromise<void> {
  let waiting: Promise<void>[] | undefined;
  for (const announcement of announcements) {
    const routed = routeAll(copiesOf(announcement), announcement.isPersonal ? undefined : { own: true });
    if (!(routed instanceof Promise)) continue;
    waiting ??= [];
    waiting.push(routed);
  }
  if (waiting) return Promise.all(waiting).then(() => undefined);
}

/** All copies share the content of their announcement. */
function* copiesOf({ stanza, to }: Announcement): Generator<Stanza> {
  for (const client of to) yield stanza.with({ to: client });
}
