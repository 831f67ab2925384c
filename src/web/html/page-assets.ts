import { createHash } from 'node:crypto';
import type { HttpRoute } from '../../routing/http-route.ts';
import { stylesheet } from './stylesheet.ts';

const path = '/assets/ampere.css';

/** The address of the common stylesheet, another one after each change of it. */
export const stylesheetPath = `${path}?v=${createHash('sha256').update(stylesheet).digest('hex').slice(0, 12)}`;

/** The address of the icon of all pages. */
export const iconPath = '/assets/ampere.svg';

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<rect width="64" height="64" rx="14" fill="#3454d1"/>
<path d="M32 12 14 52h8.5l3.6-8.5h11.8l3.6 8.5H50ZM32 26l4 10h-8Z" fill="#fff" fill-rule="evenodd"/>
</svg>
`;

/** What all pages share. */
export function pageAssetRoutes(): HttpRoute[] {
  return [
    asset(path, 'text/css; charset=utf-8', 'public, max-age=31536000, immutable', stylesheet),
    asset(iconPath, 'image/svg+xml', 'public, max-age=86400', icon),
  ];
}

function asset(at: string, type: string, caching: string, body: string): HttpRoute {
  const headers = { 'content-type': type, 'cache-control': caching };
  return { methods: ['GET'], path: at, quiet: true, handle: () => ({ status: 200, headers, body }) };
}
