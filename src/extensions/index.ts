import type { InvitationPolicy, Invitations } from '../c2s/invitations.ts';
import type { Redemption } from '../c2s/redemption.ts';
import type { RoomServiceCommand } from '../groupchat/room-service.ts';
import type { DomainCommand, Extension } from '../routing/extension.ts';
import type { Routing } from '../routing/routing.ts';
import type { BlobStore } from '../storage/blobs.ts';
import type { Storage } from '../storage/storage.ts';
import type { ConnectionLimiter } from '../streams/connection-limiter.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { amp } from './amp/amp.ts';
import type { AmpOptions } from './amp/settings.ts';
import { announcements } from './announcements.ts';
import { type ArchiveOptions, archive } from './archive/archive.ts';
import { avatars } from './avatars/avatars.ts';
import { type BlockListOptions, BlockLists } from './block-lists/block-lists.ts';
import { blocking } from './blocking/blocking.ts';
import { bookmarks } from './bookmarks/bookmarks.ts';
import { bytestreams, type ProxyOptions } from './bytestreams/bytestreams.ts';
import { carbons } from './carbons/carbons.ts';
import { type AccountDevices, clientAccess } from './client-access.ts';
import { clientState } from './client-state/client-state.ts';
import { commands } from './commands.ts';
import { type ContactAddresses, contactAddresses, outageStatus } from './contact-addresses.ts';
import { disco } from './disco/disco.ts';
import { displayedMarkers } from './displayed-markers.ts';
import { type ExternalServicesOptions, externalServices } from './external-services.ts';
import { type ForwardingOptions, forwarding } from './forwarding.ts';
import { invitations } from './invitations.ts';
import { lastActivity } from './last-activity.ts';
import { legacySession } from './legacy-session.ts';
import { type NewAccountLimits, newAccounts } from './new-accounts.ts';
import { offline } from './offline/offline.ts';
import type { OfflineOptions } from './offline/stored-messages.ts';
import { pep } from './pep/pep.ts';
import { ping } from './ping.ts';
import { privateXml } from './private-xml.ts';
import { type PushOptions, push } from './push/push.ts';
import { type AccountChanges, type RegisterOptions, register } from './register.ts';
import { remoteRooms } from './remote-rooms.ts';
import { reports } from './reports/reports.ts';
import { type RoomOptions, rooms } from './rooms.ts';
import { roster } from './roster/roster.ts';
import type { RosterOptions } from './roster/roster-writing.ts';
import { type StrangerLimits, strangers } from './strangers.ts';
import { time } from './time.ts';
import { type UploadOptions, upload } from './upload/upload.ts';
import { vcard } from './vcard.ts';
import { type Software, version } from './version.ts';

/** The parts of the configuration about extensions. */
export interface ExtensionOptions extends ExternalServicesOptions, BlockListOptions {
  readonly domains: readonly string[];
  /** The domains of components. */
  readonly components: readonly string[];
  readonly amp: AmpOptions;
  readonly archive: ArchiveOptions;
  readonly rooms: RoomOptions;
  readonly roster: RosterOptions;
  readonly offline: OfflineOptions;
  readonly registration: RegisterOptions & { readonly invitations: InvitationPolicy };
  readonly administrators: readonly string[];
  readonly contact: ContactAddresses & { readonly outages: readonly string[] };
  readonly forwarding: ForwardingOptions;
  readonly push: PushOptions;
  readonly proxy: ProxyOptions;
  readonly strangers: StrangerLimits;
  readonly newAccounts: NewAccountLimits;
  readonly uploads: UploadOptions;
}

/** Dependencies of all extensions together. */
export interface ExtensionDeps {
  readonly software: Software & { readonly homepage: string };
  readonly options: ExtensionOptions;
  readonly routing: Routing;
  readonly registrar: AccountChanges;
  readonly devices: AccountDevices;
  readonly invitations: Pick<Invitations, 'create'>;
  readonly redemption: Pick<Redemption, 'accepts'>;
  /** Ad-hoc commands that do not belong to an extension. */
  readonly commands: () => readonly DomainCommand[];
  /** Ad-hoc commands of the services with rooms. */
  readonly roomCommands: () => readonly RoomServiceCommand[];
  readonly storage: Pick<
    Storage,
    | 'accounts'
    | 'rosters'
    | 'blocklists'
    | 'offline'
    | 'outbox'
    | 'privateXml'
    | 'vcards'
    | 'pep'
    | 'archive'
    | 'push'
    | 'rooms'
    | 'reports'
    | 'uploads'
    | 'secrets'
    | 'moderation'
    | 'disk'
  >;
  /** The contents of uploaded files. */
  readonly blobs: BlobStore;
  /** Shared by all listeners. */
  readonly limiter: Pick<ConnectionLimiter, 'admit' | 'release' | 'backlog'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** All extensions, also those that are off; their hooks run in this order. The sections of the options are read at each use. */
export function extensions(deps: ExtensionDeps): readonly Extension<ExtensionOptions>[] {
  const { software, options, routing, storage, clock, log } = deps;
  const nodes = () => parts.flatMap((extension) => extension.nodes ?? []);
  const eventing = pep({ ...routing, store: storage.pep, hooks: nodes, clock, log });
  const blockLists = new BlockLists({ ...routing, ...deps, store: storage.moderation });
  const { users: listed } = blockLists;
  const contacts = contactAddresses(options.contact);
  const forms = () => contacts.disco?.domainForms ?? [];
  const roomBookmarks = bookmarks({ ...routing, nodes: eventing.nodes, store: storage.privateXml, log });
  const images = avatars({ ...routing, nodes: eventing.nodes, storage, log });
  const parts: readonly Extension<ExtensionOptions>[] = [
    blocking({ ...routing, store: storage.blocklists }),
    ...guards(deps, blockLists),
    roster({ ...routing, store: storage.rosters, options: options.roster }),
    amp({ ...deps, store: storage }),
    offline({ ...routing, store: storage.offline, options: options.offline, clock, log }),
    displayedMarkers({ nodes: eventing.nodes, log }),
    // Before what copies messages: copies have the ids of the archive.
    archive({ ...routing, options: options.archive, storage, clock, log }),
    carbons(routing.sessions),
    // Behind the archive: what is archived can be read later by a device that is told of it.
    push({ ...routing, options: options.push, store: storage.push, clock, log }),
    clientState(),
    disco({
      ...software,
      advertisements: () => routing.hooks.extensions.flatMap((extension) => extension.disco ?? []),
      services: (domain) => routing.services.itemsOf(domain),
    }),
    contacts,
    outageStatus(options.contact),
    externalServices(options, clock),
    bytestreams({ ...routing, ...deps, options: options.proxy }),
    ping(),
    version(software),
    time(clock),
    lastActivity({ ...routing, store: storage.accounts, clock, log }),
    forwarding(storage.accounts, options.forwarding),
    vcard({ store: storage.vcards, photos: images.photos }),
    privateXml(roomBookmarks.privateXml),
    reports({ ...routing, store: storage.reports, clock, log }),
    eventing.extension,
    // After what loads the nodes: old bookmarks and photos become items when the account is loaded.
    roomBookmarks.extension,
    images.extension,
    register(deps.registrar, options.registration),
    invitations(deps),
    rooms({ ...routing, ...deps, options: options.rooms, forms, commands: deps.roomCommands, listed }),
    remoteRooms({ ...routing, clock }),
    announcements({ ...routing, ...deps, domains: options.domains }),
    upload({ ...routing, ...deps, options: options.uploads }),
    clientAccess(deps.devices),
    legacySession(),
  ];
  const allCommands = () => [...parts.flatMap((extension) => extension.commands ?? []), ...deps.commands()];
  return [...parts, commands(allCommands, clock)];
}

/** What keeps strangers and spammers from users. What a block list refuses does not count for the limits behind it. */
function guards(
  { options, routing, clock }: ExtensionDeps,
  blockLists: BlockLists,
): readonly Extension<ExtensionOptions>[] {
  return [
    blockLists.extension,
    strangers({ ...routing, limits: options.strangers, clock }),
    newAccounts({ ...routing, limits: options.newAccounts, clock }),
  ];
}
