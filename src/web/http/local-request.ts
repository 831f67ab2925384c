import { BlockList, isIPv6 } from 'node:net';
import type { HttpRequestHead } from '../../routing/http-route.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Headers by which a proxy says that it forwards a request. */
const forwardingHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];

/** Whether a program on this machine asks. Behind a proxy on this machine, every client seems to be on it. */
export function comesFromThisMachine({ remoteAddress, headers }: Pick<HttpRequestHead, 'remoteAddress' | 'headers'>) {
  if (forwardingHeaders.some((name) => headers[name] !== undefined)) return false;
  return loopback.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4');
}

/**
 * Whether a program on this machine asks for this machine by a name that can mean nothing else. A page of a stranger whose name leads to
 * 127.0.0.1 (DNS rebinding) has its own name in `Host`.
 */
export function isLoopbackRequest(request: Pick<HttpRequestHead, 'remoteAddress' | 'headers'>): boolean {
  const host = String(request.headers['host'] ?? '').replace(/:\d+$/, '');
  return /^(?:localhost|127\.0\.0\.1|\[::1\])$/i.test(host) && comesFromThisMachine(request);
}
