import type { BlockList } from 'node:net';
import type { HttpRequestHead } from '../../routing/http-route.ts';
import { isIn, networkList } from '../../support/network-list.ts';
import { comesFromThisMachine, isLoopbackRequest } from '../http/local-request.ts';

type Asked = Pick<HttpRequestHead, 'headers' | 'remoteAddress' | 'secure'>;

const loopback = networkList(['127.0.0.0/8', '::1']);

/**
 * Why a request may not reach the console at all; undefined if it may. Without TLS, only this machine is served, under its own names: a
 * foreign name that leads here is an attack (DNS rebinding). Behind a proxy that is not trusted, every client seems to be on this machine.
 */
export function refusalFor(request: Asked, networks: BlockList): string | undefined {
  const { remoteAddress, secure } = request;
  if (!isIn(networks, remoteAddress)) return 'The console is not open to this address.';
  if (isIn(loopback, remoteAddress) && !comesFromThisMachine(request)) {
    return 'The console is not open to the clients of a proxy on this machine that is not trusted.';
  }
  if (secure || isLoopbackRequest(request)) return undefined;
  return 'Without HTTPS, the console is only open to this machine, at http://localhost.';
}

/** Whether a page of another site has made a request, as far as the browser says. */
export function isFromOtherSite({ headers }: Pick<Asked, 'headers'>): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** Whether the browser asks for a page to show, and not for a part of another page. */
export function isNavigation({ headers }: Pick<Asked, 'headers'>): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** The name of the cookie. The prefix makes browsers refuse it without TLS, so it has another name there. */
function cookieName(secure: boolean): string {
  return secure ? '__Host-ampere' : 'ampere';
}

/** The token in the cookie of a request; empty without one. */
export function tokenIn({ headers, secure }: Asked): string {
  const prefix = `${cookieName(secure)}=`;
  const cookies = String(headers['cookie'] ?? '').split(';');
  const found = cookies.map((cookie) => cookie.trim()).find((cookie) => cookie.startsWith(prefix));
  return found?.slice(prefix.length) ?? '';
}

/** The header that sets the cookie. An empty token with the age 0 removes it. */
export function cookieHeader(token: string, maxAgeMs: number, secure: boolean): string {
  const place = secure ? 'Path=/; Secure' : 'Path=/console';
  return `${cookieName(secure)}=${token}; ${place}; HttpOnly; SameSite=Strict; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
}
