import type { DomainPolicy, FederationOptions, Target } from '../federation/federation-options.ts';
import type { ResolverOptions } from '../federation/system-resolver.ts';
import type { StreamLimits } from '../streams/stream-limits.ts';
import type { Config } from './schema.ts';
import { peerStreamLimits } from './stream-options.ts';

/** The federation settings of a configuration. */
export function federationOptions(config: Config): FederationOptions {
  const { s2s } = config;
  const limits = peerStreamLimits(config);
  const domains = Object.entries(s2s.domains).map(([name, policy]) => [name, domainPolicy(policy, limits)] as const);
  return {
    ...(s2s.allow && { allow: s2s.allow }),
    deny: s2s.deny,
    authentication: s2s.authentication,
    tlsRequired: s2s.tlsRequired,
    domains: new Map(domains),
    overrides: new Map(Object.entries(s2s.overrides).map(([name, addresses]) => [name, addresses.map(fixedTarget)])),
    allowPrivateAddresses: s2s.allowPrivateAddresses,
    connectMs: s2s.connectSeconds * 1000,
    establishMs: s2s.establishSeconds * 1000,
    idleCloseMs: s2s.idleCloseSeconds * 1000,
    waiting: { stanzas: s2s.waiting.stanzas, bytes: s2s.waiting.bytes, maxWaitMs: s2s.waiting.seconds * 1000 },
    backOff: { firstMs: s2s.backOff.firstSeconds * 1000, longestMs: s2s.backOff.longestSeconds * 1000 },
    limits,
    shares: config.limits.peers,
  };
}

/** The DNS settings of a configuration. */
export function resolverOptions({ s2s: { dns } }: Config): ResolverOptions {
  return { servers: dns.servers, timeoutMs: dns.timeoutSeconds * 1000, tries: dns.tries };
}

type ConfiguredPolicy = Config['s2s']['domains'][string];

function domainPolicy(policy: ConfiguredPolicy, limits: StreamLimits): DomainPolicy {
  const { authentication, tlsRequired, stanzaBytes, readBytesPerSecond } = policy;
  const { xml, rate } = limits;
  return {
    ...(authentication && { authentication }),
    ...(tlsRequired !== undefined && { tlsRequired }),
    limits: {
      ...limits,
      xml: { ...xml, maxBytes: stanzaBytes ?? xml.maxBytes },
      rate: readBytesPerSecond ? { bytesPerSecond: readBytesPerSecond, burstBytes: readBytesPerSecond * 10 } : rate,
    },
  };
}

function fixedTarget({ host, port, tls }: Config['s2s']['overrides'][string][number]): Target {
  return { host, port, tls, fixed: true };
}
