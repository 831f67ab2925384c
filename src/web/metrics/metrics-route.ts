import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpError, type HttpRequest, type HttpRoute } from '../../routing/http-route.ts';
import { comesFromThisMachine } from '../http/local-request.ts';
import type { MetricsText } from './exposition.ts';

/** The page of the metrics, for programs on the same machine and for those that know the token. */
export function metricsRoute(metrics: MetricsText, token: string | undefined): HttpRoute {
  return {
    methods: ['GET'],
    path: '/metrics',
    anyHost: true,
    quiet: true,
    handle: async (request) => {
      if (!comesFromThisMachine(request) && !hasToken(request, token))
        throw new HttpError(token === undefined ? 403 : 401);
      const { contentType, text } = await metrics.read(String(request.headers['accept'] ?? ''));
      return { status: 200, headers: { 'content-type': contentType }, body: text };
    },
  };
}

function hasToken({ headers }: HttpRequest, token: string | undefined): boolean {
  const [, given] = /^Bearer +(\S+)$/i.exec(String(headers['authorization'] ?? '')) ?? [];
  return token !== undefined && given !== undefined && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
