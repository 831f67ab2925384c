import type { HttpRoute } from '../../routing/http-route.ts';

/** The server state that decides the answer to a probe. */
interface Health {
  /** Whether the server is stopping. */
  readonly stopping: () => boolean;
  /** Whether storage has failed for good. */
  readonly storageFailed: () => boolean;
}

/** Answers probes of load balancers and supervisors: 200 while the server accepts new clients, otherwise 503. */
export function healthRoute({ stopping, storageFailed }: Health): HttpRoute {
  const state = () => {
    if (storageFailed()) return 'storage failed';
    return stopping() ? 'stopping' : 'ok';
  };
  return {
    methods: ['GET'],
    path: '/healthz',
    quiet: true,
    handle: () => {
      const found = state();
      const headers = { 'content-type': 'text/plain; charset=utf-8' };
      return { status: found === 'ok' ? 200 : 503, headers, body: `${found}\n` };
    },
  };
}
