import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import { HttpError, type HttpRequest, type HttpRoute } from '../../routing/http-route.ts';
import type { MetricsText } from './exposition.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Headers by which a proxy says that it forwards a request. */
const forwardingHeaders = ['forwarded', 'x-forwarded-for', 'x-real-ip'];

/** The page of the metrics, for programs on the same machine and for those that know the token. */
export function metricsRoute(metrics: MetricsText, token: string | undefined): HttpRoute {
  return {
    methods: ['GET'],
    path: '/metrics',
    quiet: true,
    handle: async (request) => {
      if (!isLocal(request) && !hasToken(request, token)) throw new HttpError(token === undefined ? 403 : 401);
      const { contentType, text } = await metrics.read(String(request.headers['accept'] ?? ''));
      return { status: 200, headers: { 'content-type': contentType }, body: text };
    },
  };
}

/** Behind a proxy on this machine, every client seems to be on it. */
function isLocal({ remoteAddress, headers }: HttpRequest): boolean {
  if (forwardingHeaders.some((name) => headers[name] !== undefined)) return false;
  return loopback.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4');
}

function hasToken({ headers }: HttpRequest, token: string | undefined): boolean {
  const [, given] = /^Bearer +(\S+)$/i.exec(String(headers['authorization'] ?? '')) ?? [];
  return token !== undefined && given !== undefined && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
