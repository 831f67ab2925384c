import { readFileSync } from 'node:fs';
import type { Pbkdf2Queue } from './c2s/negotiation/sasl/pbkdf2-queue.ts';
import { Registrar } from './c2s/registrar.ts';
import { Components } from './components/components.ts';
import { ampOptions } from './config/amp-options.ts';
import { federationOptions, resolverOptions } from './config/federation-settings.ts';
import type { Config } from './config/schema.ts';
import { componentOptions, managementLimits } from './config/stream-options.ts';
import type { ClientAcceptor } from './edges/client-acceptor.ts';
import type { AmpCounters } from './extensions/amp/amp-counters.ts';
import { AmpService } from './extensions/amp/amp-service.ts';
import { extensions } from './extensions/index.ts';
import { StoredMessages } from './extensions/offline/stored-messages.ts';
import { Federation, type FederationDeps } from './federation/federation.ts';
import { SystemResolver } from './federation/system-resolver.ts';
import { TrustAnchors } from './federation/trust-anchors.ts';
import { Jid } from './protocol/jid.ts';
import { buildRouting, type Routing, type RoutingCore } from './routing/build-routing.ts';
import type { Extension } from './routing/extension.ts';
import type { Service } from './routing/service.ts';
import type { Storage } from './storage/storage.ts';
import type { Reroute } from './streams/acknowledgment/redelivery.ts';
import type { ConnectionLimiter } from './streams/connection-limiter.ts';
import { OutgoingCopies } from './streams/outgoing-copies.ts';
import type { Clock } from './support/clock.ts';
import type { Log } from './support/log.ts';
import type { CurrentCertificates } from './tls/current-certificates.ts';

/** What every part is built from. */
export interface Site {
  readonly config: Config;
  readonly storage: Storage;
  readonly certificates: CurrentCertificates;
  readonly pbkdf2: Pbkdf2Queue;
  readonly services: readonly Service[];
  readonly acceptor: ClientAcceptor;
  /** What AMP has done. */
  readonly amp: AmpCounters;
  /** Aborted when storage has failed for good. */
  readonly failure: AbortSignal;
  /** Whom every listener asks. */
  readonly limiter: ConnectionLimiter;
  readonly clock: Clock;
  readonly log: Log;
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
/** What the server calls itself. */
export const software = { name: 'Ampere', version, homepage: 'urn:ampere:server' };
/** Entities one session may send directed presence to. */
const maxDirectedPresences = 1000;

/** The road, and what it was equipped with that others need too. */
export interface Works {
  readonly routing: Routing;
  readonly amp: AmpService;
  readonly copies: OutgoingCopies;
  readonly components: Components;
  /** Absent if there are to be no streams with other servers. */
  readonly federation: Federation | undefined;
  /** Reads and opens what a reloaded configuration names; what it answers takes everything into use. Rejects if something is no good. */
  prepare(config: Config): Promise<() => void>;
}

/** Builds the road with everything that stands along it. */
export async function buildWorks(site: Site): Promise<Works> {
  const { config, storage, clock, log } = site;
  const { domains, roster } = config;
  const options = { domains, maxRosterItems: roster.maxItems, maxDirectedPresences };
  const resolver = new SystemResolver(resolverOptions(config), clock);
  const given = {
    dialbackSecret: await storage.secrets.get('dialback'),
    trust: await TrustAnchors.read(config.s2s.trustedAuthorities),
    resolver,
  };
  let works: Omit<Works, 'routing' | 'prepare'> | undefined;
  const routing: Routing = buildRouting(options, storage, clock, log, (core) => {
    const { amp, copies, components, ...equipment } = equip(site, core);
    const surroundings = { core, copies, routing: () => routing };
    const federation = config.s2s.enabled ? makeFederation(site, given, surroundings) : undefined;
    works = { amp, copies, components, federation };
    return { ...equipment, ...(federation && { remotes: federation.remotes }) };
  });
  if (!works) throw new Error('a road is equipped when it is built');
  const built = works;
  return { ...built, routing, prepare: (next) => prepare(next, { ...built, routing }, resolver) };
}

async function prepare(
  config: Config,
  { routing, amp, components, federation }: Omit<Works, 'prepare'>,
  resolver: SystemResolver,
): Promise<() => void> {
  const trust = await TrustAnchors.read(config.s2s.trustedAuthorities);
  const wanted = componentOptions(config);
  routing.services.checkFree(wanted);
  await components.prepare(wanted);
  return () => {
    amp.reload(ampOptions(config));
    components.reload(wanted);
    resolver.reload(resolverOptions(config));
    // Last: what is served here decides about streams.
    federation?.reload(federationOptions(config), trust);
  };
}

/** What proves who other servers are, and who we are, and where they are found. */
type Given = Pick<FederationDeps, 'dialbackSecret' | 'trust' | 'resolver'>;

/** What federation is joined to. */
interface Surroundings {
  readonly core: RoutingCore;
  readonly copies: OutgoingCopies;
  readonly routing: () => Routing;
}

function makeFederation(site: Site, given: Given, { core, copies, routing }: Surroundings): Federation {
  const { config, certificates, limiter, clock, log } = site;
  return new Federation({
    ...given,
    options: federationOptions(config),
    limiter,
    contexts: certificates,
    isHosted: core.isHosted,
    sender: (from) => senderOf(from, core),
    fromPeer: (stanza, origin) => routing().router.fromPeer(stanza, origin),
    requests: core.requests,
    copies,
    management: managementLimits(config),
    notices: (stage) => routing().extensions.flatMap(({ streamFeatures }) => streamFeatures?.(stage) ?? []),
    clock,
    log,
  });
}

/**
 * On whose account a new stream to another server goes: a user who is here, or a component. What accounts of absent users answer, and
 * addresses that are none, goes on the server's own: who writes to them from elsewhere chooses among them.
 */
function senderOf(from: Jid, { sessions, isLocalDomain }: RoutingCore): string {
  if (!isLocalDomain(from.domain)) return from.domain;
  const account = from.bare().toString();
  return sessions.of(account).length > 0 ? account : '';
}

function equip(site: Site, core: RoutingCore) {
  const { config, storage, clock, log } = site;
  const copies = makeCopies(site, core);
  const components = makeComponents(site, core, copies);
  core.services.join(components);
  for (const service of site.services) core.services.add(service);
  const amp = new AmpService({
    ...core,
    options: ampOptions(config),
    store: storage,
    isInFlight: (owner, id) => storedMessages.isInFlight(owner, id),
    counters: site.amp,
    clock,
    log,
  });
  const storedMessages = new StoredMessages({
    ...core,
    store: storage.offline,
    quota: config.offline,
    ...(amp.enabled && { settleDue: (account: string) => amp.settleDue(account) }),
    refuses: (message, recipient) => core.filters.refusesInbound(message, recipient),
    clock,
    log,
  });
  const list: readonly Extension[] = extensions({
    ...core,
    software,
    options: config,
    storedMessages,
    amp,
    registrar: makeRegistrar(site, core, () => list),
    storage,
    services: (domain) => core.services.itemsOf(domain),
    clock,
    log,
  });
  return { extensions: list, offline: storedMessages, amp, copies, components };
}

function makeCopies({ config, storage, clock, log }: Site, core: RoutingCore): OutgoingCopies {
  const [domain = ''] = config.domains;
  const route: Reroute = (stanza, origin) => core.route(stanza, { origin });
  return new OutgoingCopies({ store: storage.outgoing, domain, route, clock, log });
}

function makeComponents({ config, clock, log }: Site, { requests }: RoutingCore, copies: OutgoingCopies): Components {
  const server = Jid.from('', config.domains[0] ?? '');
  return new Components(componentOptions(config), {
    server,
    requests,
    copies,
    limits: managementLimits(config),
    clock,
    log,
  });
}

/** Makes, changes and removes accounts in a house that is equipped with these extensions. */
export function makeRegistrar(
  { config, storage, pbkdf2 }: Site,
  core: RoutingCore,
  equipped: () => readonly Extension[],
): Registrar {
  return new Registrar({
    store: storage.accounts,
    account: (jid) => core.accounts.get(jid),
    cancelSubscriptions: (account) => core.subscriptions.cancelAll(account),
    forget: (key) => core.accounts.forget(key),
    sessions: core.sessions,
    pbkdf2,
    iterations: config.authentication.scramIterations,
    removed: (jid) => {
      for (const extension of equipped()) extension.accountRemoved?.(jid);
    },
  });
}
