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
import { Tally } from '../support/metric.ts';
import { networkList } from '../support/network-list.ts';
import { servingTls } from '../tls/tls-options.ts';
import { boshRoute } from '../web/bosh/bosh-route.ts';
import { chatRoutes } from '../web/chat/chat-routes.ts';
import { converseRoutes } from '../web/chat/converse-routes.ts';
import { homePageRoute } from '../web/home-page.ts';
import { boshPath, hostMetaRoutes, webSocketPath } from '../web/host-meta.ts';
import { pageAssetRoutes } from '../web/html/page-assets.ts';
import { assetRoutes } from '../web/http/assets.ts';
import { healthRoutes } from '../web/http/health.ts';
import { HttpListener } from '../web/http/http-listener.ts';
import { isLoopbackRequest } from '../web/http/local-request.ts';
import { hostCheck } from '../web/http/served-hosts.ts';
import { invitationRoutes } from '../web/invitations/invitation-routes.ts';
import { webSocketRoute } from '../web/websocket/websocket-route.ts';
import type { ConsoleParts } from './console.ts';
import type { Foundation } from './foundation.ts';
import { type MeasuredParts, metricsRoutes } from './metrics.ts';

/** The parts that the HTTP listener shows. */
interface WebParts extends MeasuredParts {
  readonly console: ConsoleParts | undefined;
  readonly redemption: Redemption;
}

/** Makes the public HTTP listener with the routes of the server and of the extensions. Throws an Error if two routes collide. */
export async function makeHttpListener(foundation: Foundation, parts: WebParts): Promise<HttpListener> {
  const { config, storage, certificates, limiter, failure, clock, log } = foundation;
  const requests = new Tally<'route' | 'code'>();
  const trustedProxies = networkList(config.web.trustedProxies);
  const health = healthRoutes({
    stopping: () => listener.stopping,
    storageFailed: () => failure.aborted,
    diskFull: () => storage.disk.refusing,
    certificateExpired: () => certificates.expiries.some(({ atMs }) => atMs < clock.nowMs()),
  });
  const listener: HttpListener = new HttpListener({
    routes: [
      ...health,
      ...(await metricsRoutes(foundation, parts, { requests, connections: () => listener.connections })),
      ...webRoutes(foundation, parts.listener),
      ...pages(config, parts.redemption),
      ...(parts.console?.pages.routes ?? []),
      ...parts.routing.hooks.extensions.flatMap(({ http }) => http ?? []),
    ],
    requests,
    limits: httpLimits(config),
    trustedProxies,
    strictTransportSecurity: strictTransportSecurity(config),
    servesHost: hostCheck(namesOf(config), trustedProxies),
    certificates,
    takeStream: streamsOverTls(foundation, parts.listener),
    limiter,
    clock,
    log,
  });
  return listener;
}

/** Takes clients that ask for XMPP at a port of HTTPS. So port 443, which most networks let through, can be enough. */
function streamsOverTls({ config, certificates, clock }: Foundation, clients: StreamListener) {
  const { rate, limits } = clientAcceptorOptions(config);
  const deps = { rate, limits, layTls: servingTls(certificates), clock };
  return (socket: TLSSocket) => {
    const arrival: IncomingConnection = {
      remoteAddress: clientAddressOf(socket),
      admit: (user) => new Connection(socket, user, deps),
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

/** Streams of clients in browsers, and how they find them. */
function webRoutes({ config, clock }: Foundation, clients: StreamListener): HttpRoute[] {
  const { origins } = config.web;
  const arrived = (arrival: IncomingConnection) => clients.take(arrival, 'established');
  const shared = { origins, limits: webSocketLimits(config), isSecure: isSecure(config), clock, arrived };
  const messageBytes = config.limits.c2s.stanzaBytes;
  const url = publicUrl(config);
  return [
    ...webSocketPaths.map((path) => webSocketRoute(path, { ...shared, messageBytes })),
    boshRoute(boshPath, { ...shared, ...boshLimits(config) }),
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
    homePageRoute(domains),
    ...invitationRoutes({ redemption, url: pageUrl(config), isSecure: secure, chatPath }),
    ...chatRoutes(page),
    ...converseRoutes({ ...page, directory: web.converse }),
  ];
}
