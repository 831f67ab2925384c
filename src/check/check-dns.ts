import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { resolverOptions } from '../config/federation-settings.ts';
import { isOpen, listenersInUse, reachable } from '../config/listener-kinds.ts';
import type { Config, Listener } from '../config/schema.ts';
import { proxyDomains, serviceDomains } from '../config/stream-options.ts';
import type { Resolver, SrvRecord } from '../federation/resolver.ts';
import { SystemResolver } from '../federation/system-resolver.ts';
import { systemClock } from '../support/clock.ts';
import { asciiDomain } from '../tls/certificate-files.ts';
import { type Finding, findingsAbout } from './finding.ts';

const finding = findingsAbout('dns');

/** One kind of SRV record: the peers that look it up, and the listeners it should point to. */
interface Service {
  readonly name: string;
  readonly peers: 'Clients' | 'Other servers';
  readonly listeners: readonly Listener[];
  /** The port that peers try when there is no record. Absent for direct TLS (XEP-0368 §3). */
  readonly usualPort?: number;
  /** Whether only users of this server may need the service. */
  readonly mayBeAbsent?: boolean;
}

/** Makes the DNS lookups of clients and other servers, if other machines can connect. */
export async function checkDns(config: Config): Promise<Finding[]> {
  if (!reachable(config)) return [];
  const resolver = new SystemResolver(resolverOptions(config), systemClock);
  const all = servicesOf(config);
  const forServers = all.filter(({ peers }) => peers === 'Other servers');
  const federated = forServers.map((service) => ({ ...service, mayBeAbsent: true }));
  const wanted = [
    ...config.domains.filter(isName).map((domain) => ({ domain, services: all })),
    ...serviceDomains(config)
      .filter(isName)
      .map((domain) => ({ domain, services: federated })),
  ];
  try {
    const found = wanted.map(({ domain, services }) => checkDomain(asciiDomain(domain), services, resolver));
    const named = hostsForClients(config).map((one) => checkHost(one, resolver));
    return (await Promise.all([...found, ...named])).flat();
  } finally {
    resolver.close();
  }
}

/** A host that the server names to clients. */
interface NamedHost {
  readonly host: string;
  readonly purpose: string;
}

/** The hosts of the proxy and of external services, which clients connect to. */
function hostsForClients(config: Config): NamedHost[] {
  const { listen, proxy, externalServices } = config;
  const proxies = proxyDomains(config);
  const named = proxy.host === undefined || proxies.length === 0 ? proxies : [proxy.host];
  const forFiles = isOpen(listen.proxy) ? named : [];
  const forCalls = new Set(externalServices.map(({ host }) => host));
  return [
    ...forFiles.map((host) => ({ host, purpose: 'file transfers' })),
    ...[...forCalls].map((host) => ({ host, purpose: 'calls' })),
  ].filter(({ host }) => isName(host));
}

async function checkHost({ host, purpose }: NamedHost, resolver: Resolver): Promise<Finding[]> {
  try {
    const addresses = await resolver.addresses(asciiDomain(host));
    if (addresses.length > 0) return [];
    return [finding('warning', `Clients are sent to ${host} for ${purpose}, but it has no address.`)];
  } catch (error) {
    return unanswered(host)(error);
  }
}

/** Whether a domain is a name that DNS may know. */
export function isName(domain: string): boolean {
  return !/(^|\.)localhost$/.test(domain) && isIP(domain.replace(/^\[|\]$/g, '')) === 0;
}

function servicesOf(config: Config): Service[] {
  return listenersInUse(config).flatMap(({ kind: { srv, serves, tls, port }, addresses: listeners }) => {
    if (srv === undefined || listeners.length === 0) return [];
    const peers = serves === 'servers' ? 'Other servers' : 'Clients';
    // Ports of HTTPS take clients, too.
    const shared = serves === 'clients' && tls === 'direct' ? config.listen.https : [];
    const all = [...listeners, ...shared];
    return [{ name: srv, peers, listeners: all, ...(tls === 'starttls' && { usualPort: port }) }];
  });
}

async function checkDomain(domain: string, services: readonly Service[], resolver: Resolver): Promise<Finding[]> {
  const found = await Promise.all(
    services.map((service) =>
      checkService(domain, service, resolver).catch(unanswered(`${service.name}._tcp.${domain}`)),
    ),
  );
  return found.flat();
}

function unanswered(name: string): (error: unknown) => Finding[] {
  return (error) => {
    const reason = error instanceof Error ? error.message : String(error);
    return [finding('warning', `${name} could not be looked up: ${reason}.`)];
  };
}

async function checkService(domain: string, service: Service, resolver: Resolver): Promise<Finding[]> {
  const records = await resolver.srv(`${service.name}._tcp.${domain}`);
  if (records.length === 0) return withoutRecords(domain, service, resolver);
  const found = await Promise.all(records.map((record) => checkRecord(domain, service, record, resolver)));
  return found.flat();
}

async function withoutRecords(domain: string, service: Service, resolver: Resolver): Promise<Finding[]> {
  const { name, peers, usualPort, mayBeAbsent } = service;
  if (usualPort === undefined) return [];
  if ((await resolver.addresses(domain)).length === 0) {
    const excuse = mayBeAbsent ? ' (fine if only users of this server need it)' : '';
    const message = `${peers} cannot find ${domain}: it has neither ${name}._tcp records nor an address${excuse}.`;
    return [finding('warning', message)];
  }
  const record = { host: domain, port: usualPort, priority: 0, weight: 0 };
  return checkRecord(domain, service, record, resolver);
}

async function checkRecord(
  domain: string,
  { name, peers, listeners }: Service,
  { host, port }: SrvRecord,
  resolver: Resolver,
): Promise<Finding[]> {
  if (host === '') return [finding('warning', `${name}._tcp.${domain} says that the service is not offered.`)];
  const addresses = await resolver.addresses(host);
  if (addresses.length === 0) return [finding('warning', `${peers} are sent to ${host}, which has no address.`)];
  const doubts = [
    ...(listeners.some((listener) => listener.port === port) ? [] : ['this server does not listen on that port']),
    ...(addresses.some(isOwn) ? [] : ['this machine has none of its addresses']),
  ];
  const message = `${peers} find ${domain} at ${host} port ${port}`;
  if (doubts.length === 0) return [finding('ok', `${message}.`)];
  return [finding('warning', `${message}, but ${doubts.join(', and ')} (fine behind a proxy or port forwarding).`)];
}

function isOwn(address: string): boolean {
  return Object.values(networkInterfaces()).some((own) => own?.some((one) => one.address === address));
}
