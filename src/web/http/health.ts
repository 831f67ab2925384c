import type { HttpRoute } from '../../routing/http-route.ts';

/** The server state that decides the answer to a probe. */
export interface Health {
  /** Whether the server is stopping. */
  readonly stopping: () => boolean;
  /** Whether storage has failed for good. */
  readonly storageFailed: () => boolean;
  /** Whether new data is refused because the disk is nearly full. */
  readonly diskFull: () => boolean;
  /** Whether the certificate of a domain has expired. */
  readonly certificateExpired: () => boolean;
}

/** The routes for probes of load balancers and supervisors. */
export function healthRoutes({ stopping, storageFailed, diskFull, certificateExpired }: Health): HttpRoute[] {
  const alive = () => {
    if (storageFailed()) return 'storage failed';
    return stopping() ? 'stopping' : 'ok';
  };
  const ready = () => {
    if (alive() !== 'ok') return alive();
    if (diskFull()) return 'disk nearly full';
    return certificateExpired() ? 'certificate expired' : 'ok';
  };
  return [probe('/healthz', alive), probe('/readyz', ready)];
}

/** Answers with 200 if everything is ok, otherwise with 503 and the reason. */
function probe(path: string, state: () => string): HttpRoute {
  return {
    methods: ['GET'],
    path,
    anyHost: true,
    quiet: true,
    handle: () => {
      const found = state();
      const headers = { 'content-type': 'text/plain; charset=utf-8' };
      return { status: found === 'ok' ? 200 : 503, headers, body: `${found}\n` };
    },
  };
}
