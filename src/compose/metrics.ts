import type { Components } from '../components/components.ts';
import type { Config } from '../config/schema.ts';
import type { Federation } from '../federation/federation.ts';
import type { HttpRoute } from '../routing/http-route.ts';
import type { Routing } from '../routing/routing.ts';
import type { StreamListener } from '../streams/stream-listener.ts';
import type { Tally } from '../support/metric.ts';
import { packageVersion } from '../support/package-version.ts';
import { MetricsText } from '../web/metrics/exposition.ts';
import { metricsRoute } from '../web/metrics/metrics-route.ts';
import { type MetricSources, serverDistributions, serverMetrics } from '../web/metrics/server-metrics.ts';
import type { Foundation } from './foundation.ts';

/** The parts whose figures are read. */
export interface MeasuredParts {
  readonly routing: Routing;
  readonly components: Components;
  readonly federation: Federation | undefined;
  readonly listener: StreamListener;
}

/** The HTTP listener as the metrics see it. */
interface MeasuredHttp {
  readonly requests: Tally<'route' | 'code'>;
  readonly connections: () => number;
}

/** Makes the page of the metrics as a configuration wants it; none if it turns it off. The figures are counted on from the first page. */
export function metricsPages(
  foundation: Foundation,
  parts: MeasuredParts,
  http: MeasuredHttp,
): (config: Pick<Config, 'web'>) => Promise<readonly HttpRoute[]> {
  let loaded: Promise<MetricsText> | undefined;
  const load = () => {
    const sources = sourcesOf(foundation, parts, http);
    const ofExtensions = parts.routing.hooks.extensions.flatMap(({ metrics }) => metrics ?? []);
    return MetricsText.load([...serverMetrics(sources), ...ofExtensions], serverDistributions(sources));
  };
  return async ({ web: { metrics } }) => {
    if (!metrics.enabled) return [];
    loaded ??= load();
    return [metricsRoute(await loaded, metrics.token)];
  };
}

function sourcesOf(foundation: Foundation, parts: MeasuredParts, http: MeasuredHttp): MetricSources {
  const { certificates, limiter } = foundation;
  const { routing, components, federation, listener } = parts;
  return {
    ...foundation,
    version: packageVersion(),
    sessions: routing.sessions,
    connections: () => [
      { kind: 'c2s', ...countsOf(listener) },
      { kind: 's2s', ...(federation?.connections ?? none) },
      { kind: 'component', ...countsOf(components) },
      { kind: 'http', authenticated: 0, unauthenticated: http.connections() },
    ],
    peers: () => federation?.report() ?? [],
    components: () => components.report(),
    refusals: limiter.refusals,
    requests: http.requests,
    certificates: () => certificates.expiries,
  };
}

const none = { authenticated: 0, unauthenticated: 0 };

function countsOf({ connections, unauthenticated }: { connections: number; unauthenticated: number }): typeof none {
  return { authenticated: connections - unauthenticated, unauthenticated };
}
