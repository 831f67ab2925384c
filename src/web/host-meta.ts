import { ns } from '../protocol/namespaces.ts';
import type { HttpRoute } from '../routing/http-route.ts';
import { xml } from '../xml/element.ts';
import { serialize } from '../xml/serialize.ts';

/** One way to connect, and where. */
interface HostMetaLink {
  readonly rel: string;
  readonly href: string;
}

/** Where clients in browsers connect. */
interface BrowserAddresses {
  readonly webSocket: string;
  readonly bosh: string;
}

/** The addresses for clients in browsers (XEP-0156 §3), as XML and as JSON. Pages of every origin may read them. */
export function hostMetaRoutes({ webSocket, bosh }: BrowserAddresses): HttpRoute[] {
  const links: readonly HostMetaLink[] = [
    { rel: ns.boshConnection, href: bosh },
    { rel: ns.webSocketConnection, href: webSocket },
  ];
  return [
    document('/.well-known/host-meta', 'application/xrd+xml', asXrd(links)),
    document('/.well-known/host-meta.json', 'application/json', JSON.stringify({ links })),
  ];
}

function document(path: string, type: string, body: string): HttpRoute {
  const headers = { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'max-age=3600' };
  return { methods: ['GET'], path, origins: ['*'], handle: () => ({ status: 200, headers, body }) };
}

function asXrd(links: readonly HostMetaLink[]): string {
  const elements = links.map(({ rel, href }) => xml('Link', { rel, href }));
  return `<?xml version="1.0" encoding="utf-8"?>\n${serialize(xml('XRD', { xmlns: ns.xrd }, ...elements))}\n`;
}
