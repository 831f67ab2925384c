import type { DiscoItem } from '../protocol/disco.ts';
import type { Extension } from '../routing/extension.ts';
import type { Routing } from '../routing/routing.ts';
import type { OfflineQuota } from '../storage/offline.ts';
import type { Storage } from '../storage/storage.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { amp } from './amp/amp.ts';
import type { MessageDesk } from './amp/desk/message-operations.ts';
import type { AmpService } from './amp/run/amp-service.ts';
import { blocking } from './blocking/blocking.ts';
import { clientState } from './client-state/client-state.ts';
import { commands } from './commands.ts';
import { type ContactAddresses, contactAddresses } from './contact-addresses.ts';
import { disco } from './disco/disco.ts';
import { type ForwardingOptions, forwarding } from './forwarding.ts';
import { lastActivity } from './last-activity.ts';
import { legacySession } from './legacy-session.ts';
import { offline } from './offline/offline.ts';
import { ping } from './ping.ts';
import { privateXml } from './private-xml.ts';
import { type AccountChanges, type RegisterOptions, register } from './register.ts';
import { roster } from './roster/roster.ts';
import type { RosterOptions } from './roster/roster-writing.ts';
import { time } from './time.ts';
import { vcard } from './vcard.ts';
import { type Software, version } from './version.ts';

/** What the operator decides about extensions; slices of the configuration. */
interface ExtensionOptions {
  readonly roster: RosterOptions;
  readonly offline: OfflineQuota;
  readonly registration: RegisterOptions;
  readonly contact: ContactAddresses;
  readonly forwarding: ForwardingOptions;
}

/** Dependencies of all extensions together. */
export interface ExtensionDeps {
  readonly software: Software & { readonly homepage: string };
  readonly options: ExtensionOptions;
  readonly routing: Routing;
  readonly amp: AmpService;
  /** Sends and explains messages for the operator. */
  readonly messageDesk?: MessageDesk;
  readonly registrar: AccountChanges;
  readonly storage: Pick<Storage, 'accounts' | 'rosters' | 'blocklists' | 'offline' | 'privateXml' | 'vcards'>;
  /** The services that disco#items of a domain lists. */
  readonly services: (domain: string) => Iterable<DiscoItem>;
  readonly clock: Clock;
  readonly log: Log;
}

/** All extensions; their hooks run in this order. */
export function extensions(deps: ExtensionDeps): readonly Extension[] {
  const { software, options, routing, storage, services, clock, log } = deps;
  const { sessions } = routing;
  const parts: readonly Extension[] = [
    blocking({ ...routing, store: storage.blocklists }),
    roster({ ...routing, store: storage.rosters, options: options.roster }),
    amp(deps.amp, software.name, deps.messageDesk),
    offline({ ...routing, store: storage.offline, quota: options.offline, clock, log }),
    clientState(),
    disco({
      name: software.name,
      homepage: software.homepage,
      advertisements: () => all.flatMap((extension) => extension.disco ?? []),
      services,
    }),
    contactAddresses(options.contact),
    ping(),
    version(software),
    time(clock),
    lastActivity({ sessions, store: storage.accounts, clock, log }),
    forwarding(storage.accounts, options.forwarding),
    vcard(storage.vcards),
    privateXml(storage.privateXml),
    register(deps.registrar, options.registration),
    legacySession(),
  ];
  const all = [
    ...parts,
    commands(
      parts.flatMap((extension) => extension.commands ?? []),
      clock,
    ),
  ];
  return all;
}
