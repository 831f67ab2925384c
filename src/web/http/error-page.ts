import type { IncomingMessage } from 'node:http';
import type { HttpAnswer } from '../../routing/http-route.ts';
import { html } from '../html/html.ts';
import { pageAnswer } from '../html/page.ts';
import { iconPath } from '../html/page-assets.ts';

/** What people read, by the status. Other statuses are for programs. */
const words: ReadonlyMap<number, readonly [title: string, text: string]> = new Map([
  [403, ['You may not open this', 'Go back to the page that you came from, and try it again there.']],
  [404, ['There is no such page', 'The address may be mistyped, or the page is gone.']],
  [429, ['Too many requests', 'Wait a minute, and try again.']],
  [500, ['Something went wrong', 'The server could not answer. The people who run it find the reason in its log.']],
  [503, ['The server is not available', 'Try again in a minute.']],
]);

/** An answer that people can read, if a browser shows it and it has no content of its own. */
export function readableAnswer({ method, headers }: IncomingMessage, answer: HttpAnswer): HttpAnswer {
  const found = words.get(answer.status);
  const isForPeople = method === 'GET' && headers.accept?.includes('text/html');
  if (!found || !isForPeople || answer.body !== undefined) return answer;
  const [title, text] = found;
  const body = html`<main>
<img class="brand" src="${iconPath}" alt="">
<h1>${title}</h1>
<div class="panel">
<p>${text}</p>
<p><a href="/">To the start page</a></p>
</div>
</main>`;
  return pageAnswer({ title, body, status: answer.status, headers: { ...answer.headers } });
}
