import type { HttpRoute } from '../routing/http-route.ts';
import { html } from './html/html.ts';
import { pageAnswer } from './html/page.ts';
import { iconPath } from './html/page-assets.ts';

/** The page at the root: what this server is, for people who have only its address. It names no account and no version. */
export function homePageRoute(domains: readonly string[]): HttpRoute {
  const [domain = ''] = domains;
  const body = html`<main>
<img class="brand" src="${iconPath}" alt="">
<h1>${domain}</h1>
<div class="panel">
<p>This is a chat server. People with an account here chat with each other, and with people on other XMPP servers.</p>
<p>If you have an account, open your chat app. If not, ask the people who run this server for an invitation.</p>
</div>
</main>`;
  return { methods: ['GET'], path: '/', handle: () => pageAnswer({ title: domain, body }) };
}
