import { readFileSync } from 'node:fs';
import { ampOptions } from './config/amp-options.ts';
import { federationOptions, resolverOptions } from './config/federation-settings.ts';
import type { Config } from './config/schema.ts';
import { componentOptions, managementLimits } from './config/stream-options.ts';
import type { AmpCounters } from './extensions/amp/amp-counters.ts';
import { AmpWorks } from './extensions/amp/amp-works.ts';
import { extensions } from './extensions/index.ts';
import { StoredMessages } from './extensions/offline/stored-messages.ts';
import { Jid } from './protocol/jid.ts';
import type { Extension } from './routing/extension.ts';
import { buildRoad, type Ground, type Road } from './routing/road.ts';
import type { Service } from './routing/service.ts';
import type { Storage } from './storage/storage.ts';
import type { ClientGate } from './streams/client-gate.ts';
import { Components } from './streams/components/components.ts';
import type { Doorkeeper } from './streams/doorkeeper.ts';
import { Federation, type FederationParts } from './streams/federation/federation.ts';
import { SystemResolver } from './streams/federation/system-resolver.ts';
import { TrustAnchors } from './streams/federation/trust-anchors.ts';
import type { Route } from './streams/management/take-back.ts';
import type { Pbkdf2Queue } from './streams/negotiation/sasl/pbkdf2-queue.ts';
import { OutgoingCopies } from './streams/outgoing-copies.ts';
import { Registrar } from './streams/registrar.ts';
import type { CurrentCertificates } from './streams/tls/current-certificates.ts';
import type { Clock } from './support/clock.ts';
import type { Log } from './support/log.ts';

/** What every part is built from. */
export interface Site {
  readonly config: Config;
  readonly storage: Storage;
  readonly certificates: CurrentCertificates;
  readonly pbkdf2: Pbkdf2Queue;
  readonly services: readonly Service[];
  readonly gate: ClientGate;
  /** What AMP has done. */
  readonly amp: AmpCounters;
  /** Aborted when storage has failed for good. */
  readonly failure: AbortSignal;
  /** Whom every listener asks. */
  readonly door: Doorkeeper;
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
  readonly road: Road;
  readonly amp: AmpWorks;
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
  let works: Omit<Works, 'road' | 'prepare'> | undefined;
  const road: Road = buildRoad(options, storage, clock, log, (ground) => {
    const { amp, copies, components, ...equipment } = equip(site, ground);
    const surroundings = { ground, copies, service: equipment.service, road: () => road };
    const federation = config.s2s.enabled ? makeFederation(site, given, surroundings) : undefined;
    works = { amp, copies, components, federation };
    return { ...equipment, ...(federation && { remotes: federation.remotes }) };
  });
  if (!works) throw new Error('a road is equipped when it is built');
  const built = works;
  return { ...built, road, prepare: (next) => prepare(next, built, resolver) };
}

async function prepare(
  config: Config,
  { amp, components, federation }: Omit<Works, 'road' | 'prepare'>,
  resolver: SystemResolver,
): Promise<() => void> {
  const trust = await TrustAnchors.read(config.s2s.trustedAuthorities);
  const wanted = componentOptions(config);
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
type Given = Pick<FederationParts, 'dialbackSecret' | 'trust' | 'resolver'>;

/** What federation is joined to. */
interface Surroundings {
  readonly ground: Ground;
  readonly copies: OutgoingCopies;
  readonly service: (domain: string) => Service | undefined;
  readonly road: () => Road;
}

function makeFederation(site: Site, given: Given, { ground, copies, service, road }: Surroundings): Federation {
  const { config, certificates, door, clock, log } = site;
  return new Federation({
    ...given,
    options: federationOptions(config),
    door,
    contexts: certificates,
    isHosted: hostedBy(ground, service),
    sender: (from) => senderOf(from, ground),
    fromPeer: (stanza, origin) => road().router.fromPeer(stanza, origin),
    requests: ground.requests,
    copies,
    management: managementLimits(config),
    notices: (stage) => road().extensions.flatMap(({ streamFeatures }) => streamFeatures?.(stage) ?? []),
    clock,
    log,
  });
}

/** Tells whether a domain is one of ours, or that of a service. */
function hostedBy(ground: Ground, service: (domain: string) => Service | undefined): (domain: string) => boolean {
  return (domain) => ground.isLocalDomain(domain) || service(domain) !== undefined;
}

/**
 * On whose account a new stream to another server goes: a user who is here, or a component. What accounts of absent users answer, and
 * addresses that are none, goes on the server's own: who writes to them from elsewhere chooses among them.
 */
function senderOf(from: Jid, { sessions, isLocalDomain }: Ground): string {
  if (!isLocalDomain(from.domain)) return from.domain;
  const account = from.bare().toString();
  return sessions.of(account).length > 0 ? account : '';
}

function equip(site: Site, ground: Ground) {
  const { config, storage, clock, log } = site;
  const copies = makeCopies(site, ground);
  const components = makeComponents(site, ground, copies);
  const own = new Map(site.services.map((one) => [one.domain, one]));
  const service = (domain: string) => own.get(domain) ?? components.at(domain);
  const amp = new AmpWorks({
    ...ground,
    isHosted: hostedBy(ground, service),
    options: ampOptions(config),
    store: storage,
    isInFlight: (owner, id) => storedMessages.isInFlight(owner, id),
    counters: site.amp,
    clock,
    log,
  });
  const storedMessages = new StoredMessages({
    ...ground,
    store: storage.offline,
    quota: config.offline,
    ...(amp.enabled && { settleDue: (account: string) => amp.settleDue(account) }),
    refuses: (message, recipient) => ground.screens.refusesInbound(message, recipient),
    clock,
    log,
  });
  const list: readonly Extension[] = extensions({
    ...ground,
    software,
    options: config,
    storedMessages,
    amp,
    registrar: makeRegistrar(site, ground, () => list),
    storage,
    services: (domain) =>
      components.all.filter((one) => one.domain.endsWith(`.${domain}`)).map((one) => ({ jid: one.domain })),
    clock,
    log,
  });
  return { extensions: list, offline: storedMessages, service, amp, copies, components };
}

function makeCopies({ config, storage, clock, log }: Site, ground: Ground): OutgoingCopies {
  const [domain = ''] = config.domains;
  const route: Route = (stanza, origin) => ground.route(stanza, { origin });
  return new OutgoingCopies({ store: storage.outgoing, domain, route, clock, log });
}

function makeComponents({ config, clock, log }: Site, { requests }: Ground, copies: OutgoingCopies): Components {
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
  ground: Ground,
  equipped: () => readonly Extension[],
): Registrar {
  return new Registrar({
    store: storage.accounts,
    account: (jid) => ground.accounts.get(jid),
    cancelSubscriptions: (account) => ground.subscriptions.cancelAll(account),
    forget: (key) => ground.accounts.forget(key),
    sessions: ground.sessions,
    pbkdf2,
    iterations: config.authentication.scramIterations,
    removed: (jid) => {
      for (const extension of equipped()) extension.accountRemoved?.(jid);
    },
  });
}
