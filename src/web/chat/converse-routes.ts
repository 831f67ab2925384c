import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type HttpAnswer, HttpError, type HttpRequestHead, type HttpRoute } from '../../routing/http-route.ts';
import { html } from '../html/html.ts';
import { pageAnswer } from '../html/page.ts';
import { directoryRoutes } from '../http/assets.ts';
import { pagePolicy } from './page-policy.ts';

/** Dependencies of the routes. */
interface ConverseDeps {
  /** The directory that the operator has named. */
  readonly directory: string | undefined;
  /** The domain of users who write no domain into the form for logging in. */
  readonly domain: string;
  /** The addresses of the HTTP listener for people outside: uploaded files have them. */
  readonly origins: readonly string[];
  /** Whether a client may open the page. */
  readonly isServed: (request: HttpRequestHead) => boolean;
}

const prefix = '/converse';
const script = 'converse.min.js';

/** converse.js, if the operator has installed it; otherwise a page that says how. */
export function converseRoutes({ directory = installedBuild(), domain, origins, isServed }: ConverseDeps): HttpRoute[] {
  const isInstalled = directory !== undefined && existsSync(join(directory, script));
  const answer = isInstalled ? conversePage(domain, origins) : installPage();
  const handle = (request: HttpRequestHead) => {
    if (!isServed(request)) throw new HttpError(404);
    return answer;
  };
  const moved = { status: 308, headers: { location: `${prefix}/` } };
  return [
    // Its encryption loads a file from the folder of the page.
    { methods: ['GET'], path: `${prefix}/`, handle },
    { methods: ['GET'], path: prefix, handle: (request) => (isServed(request) ? moved : { status: 404 }) },
    ...(isInstalled ? directoryRoutes(prefix, directory) : []),
  ];
}

/** The build in the package that npm has installed where the server finds its own packages. */
function installedBuild(): string | undefined {
  const folders = createRequire(import.meta.url).resolve.paths('converse.js') ?? [];
  return folders.map((folder) => join(folder, 'converse.js/dist')).find((build) => existsSync(join(build, script)));
}

function conversePage(domain: string, origins: readonly string[]): HttpAnswer {
  return pageAnswer({
    title: 'Converse',
    body: html`<div id="app" data-domain="${domain}"></div>`,
    layout: 'wide',
    scripts: ['/assets/browser/converse/main.js'],
    stylesheets: [`${prefix}/converse.min.css`],
    ownLook: true,
    headers: { 'content-security-policy': pagePolicy({ origins, isConverse: true }) },
  });
}

function installPage(): HttpAnswer {
  return pageAnswer({
    title: 'converse.js is not installed',
    status: 404,
    body: html`<main>
<h1>converse.js is not installed</h1>
<p>To have it here, install it beside the server, and start the server again:</p>
<p><code class="copy">npm install --no-save converse.js</code></p>
<p>The server has a small client of its own, too: <a href="/chat">chat</a>.</p>
</main>`,
  });
}
