import { ArchiveIds } from '../archives/archive-ids.ts';
import { Retention, type RetentionOptions } from '../archives/retention.ts';
import type { Announcement } from '../groupchat/room/decision.ts';
import { roomService } from '../groupchat/room-service.ts';
import { type RoomLimits, Rooms, type RoomsDeps } from '../groupchat/rooms.ts';
import type { Extension } from '../routing/extension.ts';
import type { Routing } from '../routing/routing.ts';
import type { SecretStore } from '../storage/secrets.ts';
import type { Storage } from '../storage/storage.ts';

/** The options of rooms. */
interface RoomOptions {
  /** The domains that have rooms. */
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

/** Rooms for many (XEP-0045), and their archives (XEP-0313). */
export function rooms({ options, isLocalDomain, routeAll, storage, clock, log }: RoomExtensionDeps): Extension {
  const { domains, limits, retention: keeping } = options;
  const { rooms: store, secrets } = storage;
  const send = (announcements: readonly Announcement[]) => routeAll(copiesOf(announcements), { own: true });
  const all = new Rooms({ store, ids: idsWith(secrets), limits, isLocalDomain, send, clock, log });
  const tidied = { newId: () => store.newMessageId(), tidy: store.tidy.bind(store) };
  const retention = new Retention({ store: tidied, options: keeping, clock, log });
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
    services: domains.map((domain) => roomService({ domain, rooms: all, store, log })),
    opened: () => retention.start(),
    closing: () => retention.stop(),
  };
}

/** The ids of archived messages, with a key that is read when the first room is loaded. */
function idsWith(secrets: SecretStore): RoomsDeps['ids'] {
  let reading: Promise<ArchiveIds> | undefined;
  return () => {
    reading ??= secrets.get('room-archive-ids').then(
      (key) => new ArchiveIds(key),
      (error: unknown) => {
        // The next room tries it again.
        reading = undefined;
        throw error;
      },
    );
    return reading;
  };
}

/** All copies share the content of their announcement. */
function* copiesOf(announcements: readonly Announcement[]) {
  for (const { stanza, to } of announcements) for (const client of to) yield stanza.with({ to: client });
}
