import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { InvitationOptions } from '../c2s/invitations.ts';
import type { RegistrationOptions } from '../c2s/negotiation/registration.ts';
import type { ComponentOptions } from '../components/component.ts';
import type { ClientAcceptorOptions } from '../edges/client-acceptor.ts';
import type { AcknowledgmentLimits } from '../streams/acknowledgment/ack-requests.ts';
import type { ListenerLimits } from '../streams/connection-limiter.ts';
import type { StreamLimits } from '../streams/stream-limits.ts';
import type { CertificateOptions } from '../tls/certificates.ts';
import type { BoshRouteDeps } from '../web/bosh/bosh-route.ts';
import type { HttpLimits } from '../web/http/http-listener.ts';
import type { WebSocketLimits } from '../web/websocket/websocket-connection.ts';
import { unlimited } from '../xml/xml-limits.ts';
import { isLoopback, isOpen, reachable } from './listener-kinds.ts';
import type { Config } from './schema.ts';

/** The limits of one client's stream. */
export function streamLimits(config: Config): StreamLimits {
  return limitsOf(config, config.limits.c2s);
}

/** The limits of one stream with another server. */
export function peerStreamLimits(config: Config): StreamLimits {
  return limitsOf(config, config.limits.s2s);
}

function limitsOf({ limits }: Config, authenticated: Config['limits']['c2s']): StreamLimits {
  const { stanza, unauthenticated } = limits;
  const shape = { maxAttributes: stanza.attributes, maxDepth: stanza.depth, maxNamespaces: stanza.namespaces };
  return {
    unauthenticatedXml: { ...shape, maxBytes: unauthenticated.stanzaBytes, maxElements: unauthenticated.elements },
    unauthenticatedRate: {
      bytesPerSecond: unauthenticated.readBytesPerSecond,
      burstBytes: unauthenticated.readBurstBytes,
    },
    xml: { ...shape, maxBytes: authenticated.stanzaBytes, maxElements: authenticated.elements },
    rate: { bytesPerSecond: authenticated.readBytesPerSecond, burstBytes: authenticated.readBurstBytes },
    connection: {
      outgoingBufferBytes: authenticated.outgoingBufferBytes,
      writeStallMs: authenticated.writeStallSeconds * 1000,
    },
    idBytes: stanza.idBytes,
    langBytes: stanza.langBytes,
    tlsHandshakeMs: unauthenticated.tlsHandshakeSeconds * 1000,
    authenticationMs: unauthenticated.authenticationSeconds * 1000,
    frameCompletionMs: authenticated.stanzaCompletionSeconds * 1000,
    idlePingAfterMs: authenticated.idlePingAfterSeconds * 1000,
    idleCloseAfterMs: authenticated.idleCloseAfterSeconds * 1000,
    authenticationFailures: limits.authentication.failuresPerStream,
  };
}

/** The limits of one component's stream. */
export function componentStreamLimits(config: Config): StreamLimits {
  const limits = streamLimits(config);
  const { stanzaBytes, elements, outgoingBufferBytes } = config.limits.components;
  return {
    ...limits,
    xml: { ...limits.xml, maxBytes: stanzaBytes, maxElements: elements },
    rate: { bytesPerSecond: Number.MAX_SAFE_INTEGER, burstBytes: Number.MAX_SAFE_INTEGER },
    connection: { ...limits.connection, outgoingBufferBytes },
  };
}

/** The domains of services in a configuration, as opposed to those with accounts. */
export function serviceDomains(config: Config): readonly string[] {
  return [...Object.keys(config.components), ...roomDomains(config)];
}

/** The domains that have rooms. */
export function roomDomains({
  domains,
  components,
  rooms,
}: Pick<Config, 'domains' | 'components' | 'rooms'>): readonly string[] {
  if (!rooms.enabled) return [];
  return rooms.domains ?? usualRoomDomains(domains, Object.keys(components));
}

/** The domains that have rooms if the configuration does not name them. */
export function usualRoomDomains(domains: readonly string[], components: readonly string[]): readonly string[] {
  return freeSubdomains('conference', domains, components);
}

/**
 * The domains of the proxy for file transfers (XEP-0065). If clients on other machines can connect to the server, but not to the proxy,
 * there are none.
 */
export function proxyDomains(config: Config): readonly string[] {
  const { domains, components, listen } = config;
  const isOffered = listen.proxy.length > 0 && (isOpen(listen.proxy) || !reachable(config));
  return isOffered ? freeSubdomains('proxy', domains, Object.keys(components)) : [];
}

/** The domains of a service, one below each domain: those that are not taken. An IP address has no subdomains. */
export function freeSubdomains(
  service: string,
  domains: readonly string[],
  components: readonly string[],
): readonly string[] {
  const taken = new Set([...domains, ...components]);
  const named = domains.filter((domain) => isIP(domain.replace(/^\[|\]$/g, '')) === 0);
  return named.map((domain) => `${service}.${domain}`).filter((domain) => !taken.has(domain));
}

/** The domains that need certificates, including those of `more` services, which the configuration does not name. */
export function certificateOptions(
  config: Config,
  more: readonly { readonly domain: string }[] = [],
): CertificateOptions {
  const { domains, dataDir, tls } = config;
  return { domains, services: [...serviceDomains(config), ...more.map(({ domain }) => domain)], dataDir, tls };
}

/** The components of a configuration. */
export function componentOptions({ components }: Config): readonly ComponentOptions[] {
  return Object.entries(components).map(([domain, { queue, ...options }]) => ({
    ...options,
    domain,
    queue: { ...queue, maxAgeMs: queue.maxSeconds * 1000 },
  }));
}

/** The limits of stream management. */
export function managementLimits({ streamManagement }: Config): AcknowledgmentLimits {
  const { maxStanzas, maxBytes, ackEveryStanzas, ackAfterMilliseconds } = streamManagement;
  return { maxStanzas, maxBytes, ackEveryStanzas, ackAfterMs: ackAfterMilliseconds };
}

/** The limits of one HTTP connection. */
export function httpLimits({ limits: { http, unauthenticated } }: Config): HttpLimits {
  return {
    headerBytes: http.headerBytes,
    tlsHandshakeMs: unauthenticated.tlsHandshakeSeconds * 1000,
    headersMs: http.headersSeconds * 1000,
    requestMs: http.requestSeconds * 1000,
    keepAliveMs: http.keepAliveSeconds * 1000,
    stallMs: http.stallSeconds * 1000,
  };
}

/**
 * The address of the HTTP listener for clients, without a slash at its end. Undefined if no TLS leads to it, or if only this machine can
 * connect to it, but clients come from others.
 */
export function publicUrl(config: Config): string | undefined {
  const { web, domains, listen } = config;
  const https = reachable(config) ? listen.https.find((address) => isOpen([address])) : listen.https[0];
  const usual = https && `https://${domains[0]}${https.port === 443 ? '' : `:${https.port}`}`;
  return web.publicUrl ?? usual;
}

/**
 * The address of the pages for people. Browsers do not trust the certificate that the server issues to itself, so where only this machine
 * can connect, it is that of HTTP.
 */
export function pageUrl(config: Config): string | undefined {
  const { web, listen, tls } = config;
  const [http] = listen.http;
  const isForTests = web.publicUrl === undefined && tls.certificate === undefined && !reachable(config);
  return isForTests && http && isLoopback(http.host) ? `http://localhost:${http.port}` : publicUrl(config);
}

/** How people create accounts without an invitation. */
export function registrationOptions({ registration, limits }: Config): RegistrationOptions {
  const { inBand, approval, approvalDays, questions } = registration;
  return {
    open: inBand,
    needsApproval: approval,
    keepMs: approvalDays * 86_400_000,
    maxWaiting: limits.registration.waiting,
    questions,
  };
}

/** How invitations are made. */
export function invitationOptions(config: Config): InvitationOptions {
  const { registration, limits } = config;
  return {
    enabled: registration.invitations !== 'nobody',
    url: pageUrl(config),
    lifetimeMs: registration.invitationDays * 86_400_000,
    maxOfMaker: limits.registration.invitationsPerAccount,
  };
}

/** The limits of one client's WebSocket. */
export function webSocketLimits(config: Config): WebSocketLimits {
  const { unauthenticatedXml, unauthenticatedRate, connection, frameCompletionMs } = streamLimits(config);
  return {
    ...connection,
    rate: unauthenticatedRate,
    unauthenticatedBytes: unauthenticatedXml.maxBytes,
    completionMs: frameCompletionMs,
  };
}

/** The limits of one request of a BOSH session, which may carry several stanzas. */
export function boshLimits(config: Config): Pick<BoshRouteDeps, 'xml' | 'strangerBytes'> {
  const { xml, unauthenticatedXml } = streamLimits(config);
  const twice = (limit: number) => Math.min(2 * limit, unlimited.maxBytes);
  return {
    xml: {
      ...xml,
      maxBytes: twice(xml.maxBytes),
      maxElements: twice(xml.maxElements),
      maxNamespaces: twice(xml.maxNamespaces),
      maxDepth: xml.maxDepth + 1,
    },
    strangerBytes: twice(unauthenticatedXml.maxBytes),
  };
}

/** The limits on all connections together. */
export function listenerLimits({ limits: { connections } }: Config): ListenerLimits {
  const total = connectionsAtOnce(connections.total);
  const half = Math.ceil(total / 2);
  return {
    total,
    outgoing: Math.min(connections.outgoing ?? half, half),
    unauthenticated: connections.unauthenticated,
    backlog: connections.backlog,
    address: {
      concurrent: connections.perIpConcurrent,
      perSecond: connections.perIpPerSecond,
      burst: connections.perIpBurst,
    },
  };
}

/** Descriptors reserved for the database, the log and everything else but connections. */
const reservedDescriptors = 256;
/** The usual limit on open files, for systems that do not report it. */
const usualOpenFiles = 1024;

/** The configured limit, bounded so that the process does not run out of descriptors. */
function connectionsAtOnce(configured: number | undefined): number {
  const openFiles = openFilesLimit();
  const wanted = configured ?? roomFor(openFiles ?? usualOpenFiles);
  return openFiles === undefined ? wanted : Math.min(wanted, roomFor(openFiles));
}

function roomFor(openFiles: number): number {
  return openFiles - Math.min(reservedDescriptors, Math.floor(openFiles / 2));
}

/** How the server accepts clients: threads, limits and backlog. */
export function clientAcceptorOptions(config: Config): ClientAcceptorOptions {
  const { unauthenticatedRate: rate, connection: limits } = streamLimits(config);
  return { edges: config.edges, rate, limits, backlog: config.limits.connections.backlog };
}

/** The process's limit on open files, if the kernel reports it. */
function openFilesLimit(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
