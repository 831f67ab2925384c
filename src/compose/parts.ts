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
import { xml } from '../xml/element.ts';
import { makeListener, makeSessions } from './c2s.ts';
import { SwitchedConsole } from './console.ts';
import type { Foundation } from './foundation.ts';
import { makeWebListener, type WebListener } from './http.ts';
import { makeComponents, makeCopies, makeFederation, makeResolver } from './peers.ts';

/** The name and version that the server tells others. */
export const software = { name: 'Ampere', version: packageVersion(), homepage: 'urn:ampere:server' };

/** The number of entities to which one session may send directed presence. */
const maxDirectedPresences = 1000;

/** The parts of a server, joined, before any port is open. */
export interface Parts {
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
  readonly web: WebListener;
  readonly console: SwitchedConsole;
}

/** Makes every part once, in the order of their dependencies. */
export async function makeParts(foundation: Foundation): Promise<Parts> {
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
  const approvals = makeApprovals(foundation, routing, { registrar, suspensions });
  const invitations = makeInvitations(foundation);
  const redemption = makeRedemption(foundation, routing, { registrar, suspensions });
  const administration = new AdministrationAccess();
  const accountParts = { registrar, devices, suspensions, approvals, invitations, redemption };
  const extensions = makeExtensionList(foundation, routing, { ...accountParts, administration });
  routing.install({
    extensions: extensionsThatAreOn(extensions, foundation.live.extensions),
    ...(federation && { remotes: federation.remotes }),
  });
  const sessions = makeSessions(foundation, routing);
  const listener = await makeListener(foundation, routing, { sessions, ...accountParts });
  const console = new SwitchedConsole(
    foundation,
    { routing, listener, federation },
    { access: administration, suspensions },
  );
  const web = await makeWebListener(foundation, { routing, components, federation, listener, redemption, console });
  return {
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
    web,
    console,
  };
}

/** The extensions that these options turn on. */
export function extensionsThatAreOn(
  extensions: readonly Extension<ExtensionOptions>[],
  options: ExtensionOptions,
): readonly Extension<ExtensionOptions>[] {
  return extensions.filter(({ isOn }) => isOn === undefined || isOn(options));
}

function makeRouting({ config: { domains }, live, storage, clock, log }: Foundation): Routing {
  return new Routing({
    domains,
    maxRosterItems: () => live.config.roster.maxItems,
    maxDirectedPresences,
    storage,
    clock,
    log,
  });
}

function makeRegistrar(
  { live, storage, pbkdf2 }: Foundation,
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
    get iterations() {
      return live.config.authentication.scramIterations;
    },
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
  { config, live, clock, log }: Foundation,
  { route }: Routing,
  { registrar, suspensions }: Pick<Parts, 'registrar' | 'suspensions'>,
): Approvals {
  const from = Jid.from('', config.domains[0] ?? '');
  const message = (to: string, text: string) =>
    Stanza.message({ from, to: Jid.parse(to), id: randomId(), type: 'normal' }, xml('body', {}, text));
  const tell = (text: string) => {
    for (const administrator of live.config.administrators) void route(message(administrator, text));
  };
  return new Approvals({ options: live.registration, registrar, suspensions, tell, clock, log });
}

function makeDevices({ live, storage, clock, log }: Foundation, { sessions, hooks }: Routing): Devices {
  return new Devices({
    store: storage.devices,
    sessions,
    revoked: (account, device) => hooks.deviceRevoked(account, device),
    get keepMs() {
      return live.config.authentication.deviceDays * 86_400_000;
    },
    clock,
    log,
  });
}

function makeInvitations({ live, storage, clock }: Foundation): Invitations {
  return new Invitations({ store: storage.invitations, options: live.of(invitationOptions), clock });
}

function makeRedemption(
  { live, storage, clock, log }: Foundation,
  { accounts, subscriptions }: Routing,
  { registrar, suspensions }: Pick<Parts, 'registrar' | 'suspensions'>,
): Redemption {
  return new Redemption({
    store: storage.invitations,
    registrar,
    account: (jid) => accounts.get(jid),
    connect: (one, other) => subscriptions.connect(one, other),
    isSuspended: (account) => suspensions.isSuspended(account),
    options: live.of(invitationOptions),
    limiter: failureLimiter(
      live.of(({ limits }) => limits.authentication),
      clock,
    ),
    clock,
    log,
  });
}

type ExtensionParts = Pick<Parts, 'registrar' | 'devices' | 'invitations' | 'redemption' | 'administration'>;

function makeExtensionList(
  { live, storage, blobs, makeExtensions, limiter, clock, log }: Foundation,
  routing: Routing,
  { administration, ...parts }: ExtensionParts,
): readonly Extension<ExtensionOptions>[] {
  const options = live.extensions;
  const administrated = { administrators: () => live.config.administrators, access: administration };
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
