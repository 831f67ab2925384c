import { hostname } from 'node:os';
import type { TLSSocket } from 'node:tls';
import type { Redemption } from '../c2s/redemption.ts';
import type { Config } from '../config/schema.ts';
import {
  boshLimits,
  clientAcceptorOptions,
  httpLimits,
  pageUrl,
  publicUrl,
  webSocketLimits,
} from '../config/stream-options.ts';
import type { HttpRequestHead, HttpRoute } from '../routing/http-route.ts';
import type { IncomingConnection } from '../streams/acceptor.ts';
import { Connection } from '../streams/connection.ts';
import { clientAddressOf } from '../streams/proxy-protocol.ts';
import type { StreamListener } from '../streams/stream-listener.ts';
import type { Clock } from '../support/clock.ts';
import { Tally } from '../support/metric.ts';
import { networkList } from '../support/network-list.ts';
import { servingTls } from '../tls/tls-options.ts';
import type { BoshConnection } from '../web/bosh/bosh-connection.ts';
import { boshRoute } from '../web/bosh/bosh-route.ts';
import { chatRoutes } from '../web/chat/chat-routes.ts';
import { converseRoutes } from '../web/chat/converse-routes.ts';
import { homePageRoute } from '../web/home-page.ts';
import { boshPath, hostMetaRoutes, webSocketPath } from '../web/host-meta.ts';
import { pageAssetRoutes } from '../web/html/page-assets.ts';
import { assetRoutes } from '../web/http/assets.ts';
import { healthRoutes } from '../web/http/health.ts';
import { HttpListener, type Site } from '../web/http/http-listener.ts';
import { isLoopbackRequest } from '../web/http/local-request.ts';
import { hostCheck } from '../web/http/served-hosts.ts';
import { invitationRoutes } from '../web/invitations/invitation-routes.ts';
import { webSocketRoute } from '../web/websocket/websocket-route.ts';
import type { SwitchedConsole } from './console.ts';
import type { Foundation } from './foundation.ts';
import { type MeasuredParts, metricsPages } from './metrics.ts';

/** The parts that the HTTP listener shows. */
interface WebParts extends MeasuredParts {
  readonly console: SwitchedConsole;
  readonly redemption: Redemption;
}

/** The public HTTP listener, and the change of what it serves. */
export interface WebListener {
  readonly listener: HttpListener;
  /** Prepares what the configuration wants served, and resolves with the function that serves it from then on. */
  readonly prepare: (config: Config) => Promise<() => void>;
}

/** Makes the public HTTP listener with the routes of the server and of the extensions. Throws an Error if two routes collide. */
export async function makeWebListener(foundation: Foundation, parts: WebParts): Promise<WebListener> {
  const { config, live, certificates, limiter, clock, log } = foundation;
  const requests = new Tally<'route' | 'code'>();
  const bosh = new Map<string, BoshConnection>();
  const metrics = metricsPages(foundation, parts, { requests, connections: () => listener.connections });
  const siteOf = async (next: Config): Promise<Site> => {
    const trustedProxies = networkList(next.web.trustedProxies);
    return {
      routes: [
        ...health(foundation, () => listener.stopping),
        ...(await metrics(next)),
        ...webRoutes(next, { clients: parts.listener, bosh, clock }),
        ...pages(next, parts.redemption),
        ...parts.console.routesFor(next),
        ...parts.routing.hooks.extensions.flatMap(({ http }) => http ?? []),
      ],
      trustedProxies,
      strictTransportSecurity: strictTransportSecurity(next),
      servesHost: hostCheck(namesOf(next), trustedProxies),
    };
  };
  const listener: HttpListener = new HttpListener({
    site: await siteOf(config),
    requests,
    limits: live.of(httpLimits),
    certificates,
    takeStream: streamsOverTls(foundation, parts.listener),
    limiter,
    clock,
    log,
  });
  return { listener, prepare: async (next) => listener.prepare(await siteOf(next)) };
}

function health({ storage, certificates, failure, clock }: Foundation, stopping: () => boolean): readonly HttpRoute[] {
  return healthRoutes({
    stopping,
    storageFailed: () => failure.aborted,
    diskFull: () => storage.disk.refusing,
    certificateExpired: () => certificates.expiries.some(({ atMs }) => atMs < clock.nowMs()),
  });
}

/** Takes clients that ask for XMPP at a port of HTTPS. So port 443, which most networks let through, can be enough. */
function streamsOverTls({ live, certificates, clock }: Foundation, clients: StreamListener) {
  const options = live.of(clientAcceptorOptions);
  const layTls = servingTls(certificates);
  return (socket: TLSSocket) => {
    const { rate, limits } = options;
    const arrival: IncomingConnection = {
      remoteAddress: clientAddressOf(socket),
      admit: (user) => new Connection(socket, user, { rate, limits, layTls, clock }),
      refuse: () => void socket.destroy(),
    };
    clients.take(arrival, 'direct');
  };
}

function strictTransportSecurity({ web: { hstsDays } }: Config): string | undefined {
  return hstsDays === 0 ? undefined : `max-age=${hstsDays * 86_400}`;
}

/** The names by which clients know the server. */
function namesOf({ domains, web }: Config): string[] {
  const urls = [web.publicUrl, web.uploadUrl].filter((url) => url !== undefined);
  return [hostname(), ...domains, ...urls.map((url) => new URL(url).hostname)];
}

/** Some clients are configured for the second. */
const webSocketPaths = [webSocketPath, '/ws'] as const;

/** What streams of clients in browsers need. */
interface WebStreams {
  readonly clients: StreamListener;
  /** The sessions of BOSH, which outlive a change of the routes. */
  readonly bosh: Map<string, BoshConnection>;
  readonly clock: Clock;
}

/** Streams of clients in browsers, and how they find them. */
function webRoutes(config: Config, { clients, bosh, clock }: WebStreams): HttpRoute[] {
  const { origins } = config.web;
  const arrived = (arrival: IncomingConnection) => clients.take(arrival, 'established');
  const shared = { origins, limits: webSocketLimits(config), isSecure: isSecure(config), clock, arrived };
  const messageBytes = config.limits.c2s.stanzaBytes;
  const url = publicUrl(config);
  return [
    ...webSocketPaths.map((path) => webSocketRoute(path, { ...shared, messageBytes })),
    boshRoute(boshPath, { ...shared, ...boshLimits(config), sessions: bosh }),
    ...(url === undefined ? [] : hostMetaRoutes(url)),
  ];
}

/**
 * Whether TLS protects the requests of a client, or they never leave this machine. A proxy on this machine would lend that privilege to
 * everybody, so it ends where the configuration speaks of one.
 */
function isSecure({ web }: Config): (request: HttpRequestHead) => boolean {
  const knowsProxy = web.publicUrl !== undefined || web.trustedProxies.length > 0;
  return (request) => request.secure || (!knowsProxy && isLoopbackRequest(request));
}

/** The pages for people, and the files that they load. */
function pages(config: Config, redemption: Redemption): HttpRoute[] {
  const { web, domains } = config;
  const secure = isSecure(config);
  const served: Readonly<Record<typeof web.chat, (request: HttpRequestHead) => boolean>> = {
    loopback: (request) => secure(request) && isLoopbackRequest(request),
    everywhere: () => true,
    off: () => false,
  };
  const origins = [publicUrl(config), web.uploadUrl].filter((url) => url !== undefined);
  const isServed = served[web.chat];
  const page = { domain: domains[0] ?? 'localhost', origins, isServed };
  const chatPath = (request: HttpRequestHead) => (isServed(request) ? '/chat' : undefined);
  return [
    ...pageAssetRoutes(),
    ...assetRoutes(),
    homePageRoute({ domains, chatPath }),
    ...invitationRoutes({ redemption, url: pageUrl(config), isSecure: secure, chatPath }),
    ...chatRoutes(page),
    ...converseRoutes({ ...page, directory: web.converse }),
  ];
}
