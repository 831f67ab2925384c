import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HttpAnswer, HttpError, type HttpRequest, type HttpRoute, isUnchanged } from '../../routing/http-route.ts';

/** Where `npm run build` leaves what browsers load: from `src/` as from `dist/`, beside both. */
const builtAssets = fileURLToPath(new URL('../../../dist/assets', import.meta.url));

/** The media types of assets, by the ends of their names. Other files are not served. */
const mediaTypes: ReadonlyMap<string, string> = new Map([
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.json', 'application/json'],
  ['.mp3', 'audio/mpeg'],
  ['.ogg', 'audio/ogg'],
  ['.png', 'image/png'],
  ['.svg', 'image/svg+xml'],
  ['.ttf', 'font/ttf'],
  ['.wasm', 'application/wasm'],
  ['.webp', 'image/webp'],
  ['.woff', 'font/woff'],
  ['.woff2', 'font/woff2'],
]);

/** One pattern for each depth of a folder in the directory. */
const patterns = ['/:one', '/:one/:two', '/:one/:two/:three'] as const;

/** The modules, stylesheets and pictures for the pages of the server. */
export function assetRoutes(): HttpRoute[] {
  return directoryRoutes('/assets', builtAssets);
}

/**
 * Exactly the files in a directory, below a path. What is not in the list of these files is unknown; no path of a request is ever made into
 * the name of a file.
 */
export function directoryRoutes(prefix: string, directory: string): HttpRoute[] {
  let listed: Promise<ReadonlyMap<string, string>> | undefined;
  const handle = async (request: HttpRequest) => {
    listed ??= listAssets(directory);
    const file = (await listed).get(Object.values(request.parameters).join('/'));
    if (file === undefined) throw new HttpError(404);
    return answer(request, file);
  };
  return patterns.map((pattern) => ({ methods: ['GET'], path: `${prefix}${pattern}`, quiet: true, handle }));
}

/** The files by their paths as requests name them. */
async function listAssets(directory: string): Promise<ReadonlyMap<string, string>> {
  // Without a build there is nothing to serve.
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && mediaTypes.has(extname(entry.name)));
  return new Map(
    files.map(({ parentPath, name }) => [relative(directory, join(parentPath, name)), join(parentPath, name)]),
  );
}

async function answer(request: HttpRequest, file: string): Promise<HttpAnswer> {
  const body = await readFile(file);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  // After an upgrade, modules of two versions must not meet in one page.
  const headers = { etag, 'cache-control': 'no-cache', 'cross-origin-resource-policy': 'same-origin' };
  if (isUnchanged(request, etag)) return { status: 304, headers };
  return { status: 200, headers: { ...headers, 'content-type': mediaTypes.get(extname(file)) ?? '' }, body };
}
