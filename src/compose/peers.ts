import { Components } from '../components/components.ts';
import { federationOptions, resolverOptions } from '../config/federation-settings.ts';
import { componentOptions, managementLimits } from '../config/stream-options.ts';
import { Federation } from '../federation/federation.ts';
import { SystemResolver } from '../federation/system-resolver.ts';
import { TrustAnchors } from '../federation/trust-anchors.ts';
import { Jid } from '../protocol/jid.ts';
import type { Routing } from '../routing/routing.ts';
import { OutgoingCopies } from '../streams/outgoing-copies.ts';
import type { Foundation } from './foundation.ts';

/** Makes the copies of stanzas that are on their way to components and other servers. */
export function makeCopies({ config, storage, clock, log }: Foundation, { route }: Routing): OutgoingCopies {
  const [domain = ''] = config.domains;
  return new OutgoingCopies({ store: storage.outgoing, domain, route, clock, log });
}

/** Makes the components of the configuration. */
export function makeComponents(
  { config, live, clock, log }: Foundation,
  { requests }: Routing,
  copies: OutgoingCopies,
): Components {
  const server = Jid.from('', config.domains[0] ?? '');
  const limits = live.of(managementLimits);
  return new Components(componentOptions(config), { server, requests, copies, limits, clock, log });
}

/** Makes the resolver, which finds the servers of other domains. */
export function makeResolver({ config, clock }: Foundation): SystemResolver {
  return new SystemResolver(resolverOptions(config), clock);
}

/** Makes the streams to and from other servers; undefined if the configuration turns them off. */
export async function makeFederation(
  { config, live, storage, certificates, limiter, traffic, clock, log }: Foundation,
  routing: Routing,
  resolver: SystemResolver,
  copies: OutgoingCopies,
): Promise<Federation | undefined> {
  // Read even without federation, because a file that cannot be read is an error in the configuration.
  const trust = await TrustAnchors.read(config.s2s.trustedAuthorities);
  const dialbackSecret = await storage.secrets.get('dialback');
  if (!config.s2s.enabled) return undefined;
  const { router, hooks, requests, isHosted } = routing;
  const blocked = await storage.moderation.blockedDomains();
  const federation = new Federation({
    options: federationOptions(config),
    dialbackSecret,
    trust,
    resolver,
    limiter,
    contexts: certificates,
    isHosted,
    sender: (from) => senderOf(from, routing),
    fromPeer: (stanza, ackScope) => router.fromServer(stanza, ackScope),
    requests,
    copies,
    broken: (remote) => hooks.linkBroken(remote),
    barred: (users) => hooks.barred(users),
    management: live.of(managementLimits),
    notices: (stage) => hooks.streamFeatures(stage),
    traffic: traffic.s2s,
    clock,
    log,
  });
  await federation.block(blocked.map(({ domain }) => domain));
  return federation;
}

/**
 * The key under which a stanza counts against the share of new streams to other servers: a connected user or a component. Answers from
 * accounts without a session and from unused addresses count as the server's own, because strangers choose those addresses.
 */
function senderOf(from: Jid, { sessions, isLocalDomain }: Pick<Routing, 'sessions' | 'isLocalDomain'>): string {
  if (!isLocalDomain(from.domain)) return from.domain;
  const account = from.bare().toString();
  return sessions.of(account).length > 0 ? account : '';
}
