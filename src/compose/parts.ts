import { Approvals } from '../c2s/approvals.ts';
import type { ClientSessions } from '../c2s/client-sessions.ts';
import { Devices } from '../c2s/devices.ts';
import { Invitations } from '../c2s/invitations.ts';
import { failureLimiter } from '../c2s/negotiation/sasl/failure-limiter.ts';
import { Redemption } from '../c2s/redemption.ts';
import { Registrar } from '../c2s/registrar.ts';
import { Suspensions } from '../c2s/suspensions.ts';
import type { Components } from '../components/components.ts';
import { invitationOptions } from '../config/stream-options.ts';
import type { ExtensionOptions } from '../extensions/index.ts';
import type { Federation } from '../federation/federation.ts';
import type { SystemResolver } from '../federation/system-resolver.ts';
import { Jid } from '../protocol/jid.ts';
import { randomId } from '../protocol/random-id.ts';
import { Stanza } from '../protocol/stanza.ts';
import type { Extension } from '../routing/extension.ts';
import { Routing } from '../routing/routing.ts';
import type { OutgoingCopies } from '../streams/outgoing-copies.ts';
import type { StreamListener } from '../streams/stream-listener.ts';
import { packageVersion } from '../support/package-version.ts';
import { AdministrationAccess } from '../web/administration/administration-access.ts';
import { administrationCommands } from '../web/administration/administration-commands.ts';
import { roomCommands } from '../web/administration/room-commands.ts';
import type { HttpListener } from '../web/http/http-listener.ts';
import { xml } from '../xml/element.ts';
import { makeListener, makeSessions } from './c2s.ts';
import { type ConsoleParts, makeConsole } from './console.ts';
import type { Foundation } from './foundation.ts';
import { makeHttpListener } from './http.ts';
import { type LiveOptions, liveOptions } from './live-options.ts';
import { makeComponents, makeCopies, makeFederation, makeResolver } from './peers.ts';

/** The name and version that the server tells others. */
export const software = { name: 'Ampere', version: packageVersion(), homepage: 'urn:ampere:server' };

/** The number of entities to which one session may send directed presence. */
const maxDirectedPresences = 1000;

/** The parts of a server, joined, before any port is open. */
export interface Parts {
  readonly live: LiveOptions;
  readonly routing: Routing;
  readonly copies: OutgoingCopies;
  readonly components: Components;
  readonly resolver: SystemResolver;
  /** Absent if the configuration turns streams to other servers off. */
  readonly federation: Federation | undefined;
  readonly registrar: Registrar;
  readonly devices: Devices;
  readonly suspensions: Suspensions;
  readonly approvals: Approvals;
  readonly invitations: Invitations;
  readonly redemption: Redemption;
  /** What administrators do with ad-hoc commands. */
  readonly administration: AdministrationAccess;
  readonly extensions: readonly Extension<ExtensionOptions>[];
  readonly sessions: ClientSessions;
  readonly listener: StreamListener;
  readonly http: HttpListener;
  /** Absent if it is off. */
  readonly console: ConsoleParts | undefined;
}

/** Makes every part once, in the order of their dependencies. */
export async function makeParts(foundation: Foundation): Promise<Parts> {
  const live = liveOptions(foundation.config);
  const routing = makeRouting(foundation);
  const copies = makeCopies(foundation, routing);
  const components = makeComponents(foundation, routing, copies);
  routing.services.join(components);
  for (const service of foundation.services) routing.services.add(service);
  const resolver = makeResolver(foundation);
  const federation = await makeFederation(foundation, routing, resolver, copies);
  const registrar = makeRegistrar(foundation, routing, (account) => suspensions.forget(account));
  const devices = makeDevices(foundation, routing);
  const suspensions: Suspensions = await makeSuspensions(foundation, routing, registrar);
  const approvals = makeApprovals(foundation, routing, { live, registrar, suspensions });
  const invitations = makeInvitations(foundation);
  const redemption = makeRedemption(foundation, routing, { registrar, suspensions });
  const administration = new AdministrationAccess();
  const accountParts = { registrar, devices, suspensions, approvals, invitations, redemption };
  const extensions = makeExtensionList(foundation, routing, { live, ...accountParts, administration });
  routing.install({ extensions, ...(federation && { remotes: federation.remotes }) });
  const sessions = makeSessions(foundation, routing, live);
  const listener = await makeListener(foundation, routing, { live, sessions, ...accountParts });
  const console = makeConsole(foundation, { routing, listener, federation }, administration);
  const http = await makeHttpListener(foundation, { routing, components, federation, listener, redemption, console });
  return {
    live,
    routing,
    copies,
    components,
    resolver,
    federation,
    ...accountParts,
    administration,
    extensions,
    sessions,
    listener,
    http,
    console,
  };
}

function makeRouting({ config, storage, clock, log }: Foundation): Routing {
  const { domains, roster } = config;
  return new Routing({ domains, maxRosterItems: roster.maxItems, maxDirectedPresences, storage, clock, log });
}

function makeRegistrar(
  { config, storage, pbkdf2 }: Foundation,
  routing: Routing,
  removed: (account: Jid) => void,
): Registrar {
  const { accounts, subscriptions, sessions, hooks } = routing;
  return new Registrar({
    store: storage.accounts,
    account: (jid) => accounts.get(jid),
    cancelSubscriptions: (account) => subscriptions.cancelAll(account),
    forget: (key) => accounts.forget(key),
    sessions,
    pbkdf2,
    iterations: config.authentication.scramIterations,
    removed: (jid) => {
      removed(jid);
      hooks.accountRemoved(jid);
    },
  });
}

async function makeSuspensions(
  { storage, clock, log }: Foundation,
  { sessions }: Routing,
  registrar: Registrar,
): Promise<Suspensions> {
  const removeAccount = (account: Jid) => registrar.remove(account);
  const suspensions = new Suspensions({ store: storage.moderation, sessions, removeAccount, clock, log });
  await suspensions.load();
  return suspensions;
}

function makeApprovals(
  { config, clock, log }: Foundation,
  { route }: Routing,
  { live, registrar, suspensions }: Pick<Parts, 'live' | 'registrar' | 'suspensions'>,
): Approvals {
  const { administrators, domains } = config;
  const from = Jid.from('', domains[0] ?? '');
  const message = (to: string, text: string) =>
    Stanza.message({ from, to: Jid.parse(to), id: randomId(), type: 'normal' }, xml('body', {}, text));
  const tell = (text: string) => {
    for (const administrator of administrators) void route(message(administrator, text));
  };
  return new Approvals({ options: live.registration, registrar, suspensions, tell, clock, log });
}

function makeDevices({ config, storage, clock, log }: Foundation, { sessions, hooks }: Routing): Devices {
  const keepMs = config.authentication.deviceDays * 86_400_000;
  const revoked = (account: Jid, device: string) => hooks.deviceRevoked(account, device);
  return new Devices({ store: storage.devices, sessions, revoked, keepMs, clock, log });
}

function makeInvitations({ config, storage, clock }: Foundation): Invitations {
  return new Invitations({ store: storage.invitations, ...invitationOptions(config), clock });
}

function makeRedemption(
  { config, storage, clock, log }: Foundation,
  { accounts, subscriptions }: Routing,
  { registrar, suspensions }: Pick<Parts, 'registrar' | 'suspensions'>,
): Redemption {
  return new Redemption({
    store: storage.invitations,
    registrar,
    account: (jid) => accounts.get(jid),
    connect: (one, other) => subscriptions.connect(one, other),
    isSuspended: (account) => suspensions.isSuspended(account),
    enabled: invitationOptions(config).enabled,
    limiter: failureLimiter(config.limits.authentication, clock),
    clock,
    log,
  });
}

type ExtensionParts = Pick<Parts, 'live' | 'registrar' | 'devices' | 'invitations' | 'redemption' | 'administration'>;

function makeExtensionList(
  { config, storage, blobs, makeExtensions, limiter, clock, log }: Foundation,
  routing: Routing,
  { live, administration, ...parts }: ExtensionParts,
): readonly Extension<ExtensionOptions>[] {
  const options = live.extensions;
  const administrated = { administrators: config.administrators, access: administration };
  return makeExtensions({
    software,
    options,
    routing,
    ...parts,
    commands: administrationCommands(administrated),
    roomCommands: roomCommands(administrated),
    storage,
    blobs,
    limiter,
    clock,
    log,
  });
}
