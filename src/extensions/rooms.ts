import type { Announcement } from '../groupchat/room/decision.ts';
import { roomService } from '../groupchat/room-service.ts';
import { type RoomLimits, Rooms, type RoomsDeps } from '../groupchat/rooms.ts';
import type { Extension } from '../routing/extension.ts';
import type { Routing } from '../routing/routing.ts';

/** The options of rooms. */
interface RoomOptions {
  /** The domains that have rooms. */
  readonly domains: readonly string[];
  readonly limits: RoomLimits;
}

/** Dependencies of the extension. */
interface RoomExtensionDeps
  extends Pick<Routing, 'isLocalDomain' | 'routeAll'>,
    Pick<RoomsDeps, 'store' | 'ids' | 'clock' | 'log'> {
  readonly options: RoomOptions;
}

/** Rooms for many (XEP-0045). */
export function rooms({ options, isLocalDomain, routeAll, store, ids, clock, log }: RoomExtensionDeps): Extension {
  const { limits } = options;
  const send = (announcements: readonly Announcement[]) => routeAll(copiesOf(announcements), { own: true });
  const all = new Rooms({ store, ids, limits, isLocalDomain, send, clock, log });
  return {
    name: 'rooms',
    claims: [
      {
        spec: 'XEP-0045',
        title: 'Multi-User Chat',
        version: '1.35.5',
        status: 'partial',
        note: 'Entering, leaving, messages, subjects, history, configuration.',
      },
    ],
    services: options.domains.map((domain) => roomService({ domain, rooms: all, store })),
  };
}

/** All copies share the content of their announcement. */
function* copiesOf(announcements: readonly Announcement[]) {
  for (const { stanza, to } of announcements) for (const client of to) yield stanza.with({ to: client });
}
