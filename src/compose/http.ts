import { httpLimits } from '../config/stream-options.ts';
import type { Routing } from '../routing/routing.ts';
import { healthRoute } from '../web/http/health.ts';
import { HttpListener } from '../web/http/http-listener.ts';
import type { Foundation } from './foundation.ts';

/** Makes the public HTTP listener with the routes of the server and of the extensions. Throws an Error if two routes collide. */
export function makeHttpListener(foundation: Foundation, { hooks }: Routing): HttpListener {
  const { config, certificates, limiter, failure, clock, log } = foundation;
  const health = healthRoute({ stopping: () => listener.stopping, storageFailed: () => failure.aborted });
  const listener: HttpListener = new HttpListener({
    routes: [health, ...hooks.extensions.flatMap(({ http }) => http ?? [])],
    limits: httpLimits(config),
    certificates,
    limiter,
    clock,
    log,
  });
  return listener;
}
