import type { HttpAnswer } from '../../routing/http-route.ts';
import { type Html, html } from '../html/html.ts';
import { localTimesModule } from '../html/moment.ts';
import { pageAnswer } from '../html/page.ts';
import { iconPath } from '../html/page-assets.ts';
import type { LoginNotice } from './logins.ts';
import { type ConsolePage, type PageContext, pageGroups, pagePath } from './page.ts';

const assets = '/assets/browser';

/** What stands around the content of a page. */
interface Shell {
  readonly title: string;
  readonly content: Html;
  /** The pages that the navigation lists. */
  readonly listed: readonly ConsolePage[];
  /** The name of the listed page that is shown, or to which the page belongs. */
  readonly current: string;
  readonly notices?: readonly LoginNotice[];
  readonly modules?: readonly string[];
  readonly status?: number;
}

/** The path of the form that ends the login. */
export const logoutPath = 'me/logout';

/** Headers of every answer of the console. */
export const consoleHeaders = { 'cross-origin-resource-policy': 'same-origin', 'cache-control': 'no-store' } as const;

const home = html`<a class="home" href="/console"><img src="${iconPath}" alt="" width="28" height="28"> Ampere</a>`;

/** A page for somebody who has logged in. */
export function consolePage(context: PageContext, shell: Shell): HttpAnswer {
  const { title, content, notices = [], modules = [], status = 200 } = shell;
  const body = html`<a class="skip" href="#content">Skip to the content</a>
<div class="shell">
<header class="bar">${home}
<details class="menu"><summary>Menu</summary>${navigation(context, shell, 'Small menu')}</details></header>
<aside class="side">${home}${navigation(context, shell, 'Pages')}</aside>
<main id="content"><h1>${title}</h1>
${notices.map(({ kind, text }) => html`<p class="notice ${kind}" role="${kind === 'done' ? 'status' : 'alert'}">${text}</p>`)}
${content}</main>
</div>`;
  return pageAnswer({
    title: `${title} · Ampere`,
    body,
    layout: 'wide',
    status,
    scripts: [localTimesModule, ...modules.map((name) => `${assets}/console/${name}.js`)],
    stylesheets: ['console', 'console-content', 'console-phones'].map((name) => `${assets}/${name}.css`),
    headers: consoleHeaders,
  });
}

function navigation({ login }: PageContext, { listed, current }: Shell, label: string): Html {
  const groups = pageGroups.map((group) => ({ group, pages: listed.filter((page) => page.group === group) }));
  const entry = ({ name, title }: ConsolePage) =>
    html`<li><a href="${pagePath(name)}"${name === current && html` aria-current="page"`}>${title}</a></li>`;
  return html`<nav aria-label="${label}">${groups.map(
    ({ group, pages }) =>
      pages.length > 0 && html`${group !== '' && html`<p class="group">${group}</p>`}<ul>${pages.map(entry)}</ul>`,
  )}</nav>
<form method="post" action="/console/${logoutPath}" class="who"><input type="hidden" name="form" value="${login.formToken(logoutPath)}">
<p><strong>${login.operator}</strong> <small>${login.role}</small></p><button class="second">Log out</button></form>`;
}

/** A page for somebody who has not logged in, in one column. */
export function outerPage(
  status: number,
  title: string,
  content: Html,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const body = html`<main><img class="brand" src="${iconPath}" alt="" width="44" height="44"><h1>${title}</h1>${content}</main>`;
  return pageAnswer({ title: `${title} · Ampere`, body, status, headers: { ...consoleHeaders, ...headers } });
}
