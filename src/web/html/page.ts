import type { HttpAnswer } from '../../routing/http-route.ts';
import { type Html, html } from './html.ts';
import { iconPath, stylesheetPath } from './page-assets.ts';

/** A page for people. */
interface Page {
  readonly title: string;
  /** The content of `<body>`. */
  readonly body: Html;
  /** A class of `<body>`. `narrow`: one column, for a form or a text. */
  readonly layout?: 'narrow' | 'wide';
  /** By default 200. */
  readonly status?: number;
  /** The paths of its ES modules. A page without them runs no scripts. */
  readonly scripts?: readonly string[];
  /** The paths of stylesheets beside the common one. */
  readonly stylesheets?: readonly string[];
  /** Whether the page does without the common stylesheet. */
  readonly ownLook?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer with a page, which the browser shows without content from anywhere else, and does not keep. */
export function pageAnswer({ title, body, layout = 'narrow', status = 200, ...page }: Page): HttpAnswer {
  const { scripts = [], stylesheets = [], ownLook = false, headers = {} } = page;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="${iconPath}" type="image/svg+xml">
${[...(ownLook ? [] : [stylesheetPath]), ...stylesheets].map((path) => html`<link rel="stylesheet" href="${path}">\n`)}
${scripts.map((path) => html`<script type="module" src="${path}"></script>\n`)}
</head>
<body class="${layout}">
${body}
</body>
</html>
`;
  return { status, headers: { ...pageHeaders(scripts.length > 0), ...headers }, body: document.toString() };
}

/** The headers of a page. With the address of a form's page, browsers can name the origin of what they send. */
function pageHeaders(hasScripts: boolean): Readonly<Record<string, string>> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentPolicy(hasScripts),
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'same-origin',
    'x-robots-tag': 'noindex',
  };
}

function contentPolicy(hasScripts: boolean): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    ...(hasScripts ? ["script-src 'self'", "connect-src 'self'"] : []),
  ].join('; ');
}
