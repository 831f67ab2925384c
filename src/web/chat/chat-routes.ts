import { HttpError, type HttpRequestHead, type HttpRoute } from '../../routing/http-route.ts';
import { html } from '../html/html.ts';
import { pageAnswer } from '../html/page.ts';
import { pagePolicy } from './page-policy.ts';

/** Dependencies of the chat page. */
interface ChatPageDeps {
  /** The domain of users who write no domain into the form for logging in. */
  readonly domain: string;
  /** The addresses of the HTTP listener for people outside: uploaded files have them. */
  readonly origins: readonly string[];
  /** Whether a client may open the page. */
  readonly isServed: (request: HttpRequestHead) => boolean;
}

/** The chat page. It does not exist for those who may not open it. */
export function chatRoutes({ domain, origins, isServed }: ChatPageDeps): HttpRoute[] {
  const page = pageAnswer({
    title: 'Chat',
    body: html`<div id="app" data-domain="${domain}" data-origins="${origins.join(' ')}"><noscript>This page needs JavaScript.</noscript></div>`,
    layout: 'wide',
    scripts: ['/assets/browser/chat/main.js'],
    stylesheets: ['chat', 'conversation', 'composer', 'dialogs'].map((name) => `/assets/browser/${name}.css`),
    headers: { 'content-security-policy': pagePolicy({ origins }) },
  });
  const handle = (request: HttpRequestHead) => {
    if (!isServed(request)) throw new HttpError(404);
    return page;
  };
  return [{ methods: ['GET'], path: '/chat', handle }];
}
