import { httpLimits, publicUrl, webSocketLimits } from '../config/stream-options.ts';
import { networkList } from '../config/web-schema.ts';
import type { HttpRoute } from '../routing/http-route.ts';
import type { Routing } from '../routing/routing.ts';
import type { IncomingConnection } from '../streams/acceptor.ts';
import type { StreamListener } from '../streams/stream-listener.ts';
import { hostMetaRoutes } from '../web/host-meta.ts';
import { healthRoute } from '../web/http/health.ts';
import { HttpListener } from '../web/http/http-listener.ts';
import { webSocketRoute } from '../web/websocket/websocket-route.ts';
import type { Foundation } from './foundation.ts';

/** Makes the public HTTP listener with the routes of the server and of the extensions. Throws an Error if two routes collide. */
export function makeHttpListener(foundation: Foundation, { hooks }: Routing, clients: StreamListener): HttpListener {
  const { config, certificates, limiter, failure, clock, log } = foundation;
  const health = healthRoute({ stopping: () => listener.stopping, storageFailed: () => failure.aborted });
  const listener: HttpListener = new HttpListener({
    routes: [health, ...webRoutes(foundation, clients), ...hooks.extensions.flatMap(({ http }) => http ?? [])],
    limits: httpLimits(config),
    trustedProxies: networkList(config.web.trustedProxies),
    certificates,
    limiter,
    clock,
    log,
  });
  return listener;
}

/** Clients look for the first path; some are configured for the second. */
const webSocketPaths = ['/xmpp-websocket', '/ws'];

/** Streams of clients in browsers, and how they find them. */
function webRoutes({ config, clock }: Foundation, clients: StreamListener): HttpRoute[] {
  const limits = webSocketLimits(config);
  const { origins } = config.web;
  const messageBytes = config.limits.c2s.stanzaBytes;
  const arrived = (arrival: IncomingConnection) => clients.take(arrival, 'established');
  const route = (path: string) => webSocketRoute(path, { origins, limits, messageBytes, clock, arrived });
  const url = publicUrl(config)?.replace(/^http/, 'ws');
  return [...webSocketPaths.map(route), ...(url === undefined ? [] : hostMetaRoutes(`${url}${webSocketPaths[0]}`))];
}
