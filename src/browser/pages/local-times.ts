/**
 * Shows the times of a page in the time zone of the reader. The server writes them in UTC, for pages without scripts
 * (`src/web/html/moment.ts`).
 */
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

for (const element of document.querySelectorAll('time')) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  element.textContent = short.format(moment);
  element.title = exact.format(moment);
}
