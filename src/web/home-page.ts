import type { HttpRequestHead, HttpRoute } from '../routing/http-route.ts';
import { html } from './html/html.ts';
import { pageAnswer } from './html/page.ts';
import { iconPath } from './html/page-assets.ts';

/** Dependencies of the page at the root. */
interface HomePageDeps {
  readonly domains: readonly string[];
  /** The path of the chat page, if the client may open it. */
  readonly chatPath: (request: HttpRequestHead) => string | undefined;
}

/** The page at the root: what this server is, for people who have only its address. It names no account and no version. */
export function homePageRoute({ domains, chatPath }: HomePageDeps): HttpRoute {
  const [domain = ''] = domains;
  const body = (path: string | undefined) => html`<main>
<img class="brand" src="${iconPath}" alt="">
<h1>${domain}</h1>
<div class="panel">
<p>This is a chat server. People with an account here chat with each other, and with people on other XMPP servers.</p>
<p>If you have an account, open your chat app${path !== undefined && ', or chat in this browser'}. If not, ask the people who run this server for an invitation.</p>
${path !== undefined && html`<p><a class="button full" href="${path}">Chat in this browser</a></p>`}
</div>
</main>`;
  const handle = (request: HttpRequestHead) => pageAnswer({ title: domain, body: body(chatPath(request)) });
  return { methods: ['GET'], path: '/', handle };
}
