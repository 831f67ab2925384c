import { ns } from '../protocol/namespaces.ts';
import type { HttpRoute } from '../routing/http-route.ts';
import { xml } from '../xml/element.ts';
import { serialize } from '../xml/serialize.ts';

/** The path of WebSockets that clients are told. */
export const webSocketPath = '/xmpp-websocket';
export const boshPath = '/http-bind';

/** One way to connect, and where. */
export interface HostMetaLink {
  readonly rel: string;
  readonly href: string;
}

/** A file in which clients in browsers find the addresses of a domain (XEP-0156 §3), at the same path on the web server of the domain. */
interface HostMetaFile {
  readonly path: string;
  readonly type: string;
  readonly content: string;
}

/** The files for a listener with this address, as XML and as JSON. */
export function hostMetaFiles(url: string): readonly [xml: HostMetaFile, json: HostMetaFile] {
  const links = linksTo(url);
  return [
    { path: '/.well-known/host-meta', type: 'application/xrd+xml', content: asXrd(links) },
    { path: '/.well-known/host-meta.json', type: 'application/json', content: `${JSON.stringify({ links })}\n` },
  ];
}

/** The routes of the files. Pages of every origin may read them. */
export function hostMetaRoutes(url: string): HttpRoute[] {
  return hostMetaFiles(url).map(({ path, type, content: body }) => {
    const headers = { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'max-age=3600' };
    return { methods: ['GET'], path, origins: ['*'], handle: () => ({ status: 200, headers, body }) };
  });
}

/** The addresses for clients in browsers. */
export function linksTo(url: string): readonly HostMetaLink[] {
  return [
    { rel: ns.boshConnection, href: `${url}${boshPath}` },
    { rel: ns.webSocketConnection, href: `${url.replace(/^http/, 'ws')}${webSocketPath}` },
  ];
}

function asXrd(links: readonly HostMetaLink[]): string {
  const elements = links.map(({ rel, href }) => xml('Link', { rel, href }));
  return `<?xml version="1.0" encoding="utf-8"?>\n${serialize(xml('XRD', { xmlns: ns.xrd }, ...elements))}\n`;
}
