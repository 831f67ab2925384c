import { type Html, html } from './html.ts';

/** The module that shows the times of a page in the time zone of its reader. */
export const localTimesModule = '/assets/browser/pages/local-times.js';

/** A moment, to the minute: in UTC, unless the page brings `localTimesModule`. */
export function momentView(ms: number): Html {
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}
