/**
 * Shows the times of a page in the time zone of the reader. The server writes them in UTC, for pages without scripts
 * (`src/web/html/moment.ts`).
 */
const inThisYear = { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' } as const;
const short = new Intl.DateTimeFormat(undefined, inThisYear);
const withYear = new Intl.DateTimeFormat(undefined, { ...inThisYear, year: 'numeric' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

for (const element of document.querySelectorAll('time')) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) continue;
  const isThisYear = moment.getFullYear() === new Date().getFullYear();
  element.textContent = (isThisYear ? short : withYear).format(moment);
  element.title = exact.format(moment);
}
