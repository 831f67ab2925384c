import type { DiscoItem } from '../protocol/disco.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { Extension } from '../routing/extension.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { PresenceHooks } from '../routing/presence-hooks.ts';
import type { RosterChanges } from '../routing/roster-changes.ts';
import type { SessionDirectory } from '../routing/session-directory.ts';
import type { Subscriptions } from '../routing/subscriptions.ts';
import type { Storage } from '../storage/storage.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { amp } from './amp/amp.ts';
import type { AmpService } from './amp/amp-service.ts';
import { blocking } from './blocking/blocking.ts';
import { clientState } from './client-state/client-state.ts';
import { type ContactAddresses, contactAddresses } from './contact-addresses.ts';
import { disco } from './disco/disco.ts';
import { type ForwardingOptions, forwarding } from './forwarding.ts';
import { lastActivity } from './last-activity.ts';
import { legacySession } from './legacy-session.ts';
import { offline } from './offline/offline.ts';
import type { StoredMessages } from './offline/stored-messages.ts';
import { ping } from './ping.ts';
import { privateXml } from './private-xml.ts';
import { type RegisterOptions, type Registrar, register } from './register.ts';
import { roster } from './roster/roster.ts';
import type { RosterOptions } from './roster/roster-writing.ts';
import { time } from './time.ts';
import { vcard } from './vcard.ts';
import { type Software, version } from './version.ts';

/** What the operator decides about extensions; slices of the configuration. */
interface ExtensionOptions {
  readonly roster: RosterOptions;
  readonly registration: RegisterOptions;
  readonly contact: ContactAddresses;
  readonly forwarding: ForwardingOptions;
}

/** Dependencies of all extensions together. */
export interface ExtensionDeps {
  readonly software: Software & { readonly homepage: string };
  readonly options: ExtensionOptions;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly presenceHooks: PresenceHooks;
  readonly rosters: Pick<RosterChanges, 'save'>;
  readonly subscriptions: Pick<Subscriptions, 'cancel'>;
  readonly storedMessages: StoredMessages;
  readonly amp: AmpService;
  readonly registrar: Registrar;
  readonly storage: Pick<Storage, 'accounts' | 'rosters' | 'blocklists' | 'privateXml' | 'vcards'>;
  /** Puts a stanza of the server's own on the road. */
  readonly route: (stanza: Stanza) => MaybePromise<void>;
  /** The services that disco#items of a domain lists. */
  readonly services: (domain: string) => Iterable<DiscoItem>;
  readonly clock: Clock;
  readonly log: Log;
}

/** All extensions; their hooks run in this order. */
export function extensions(deps: ExtensionDeps): readonly Extension[] {
  const { software, options, storage, sessions, clock, log } = deps;
  const all: readonly Extension[] = [
    blocking({ ...deps, store: storage.blocklists }),
    roster({ ...deps, store: storage.rosters, options: options.roster }),
    amp(deps.amp, software.name),
    offline(deps.storedMessages),
    clientState(),
    disco({
      name: software.name,
      homepage: software.homepage,
      advertisements: () => all.flatMap((extension) => extension.disco ?? []),
      services: deps.services,
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
  return all;
}
