import { serverHistory } from '../../control/console-operations.ts';
import { type StatusReport, serverStatus } from '../../control/server-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { momentView } from '../../html/moment.ts';
import type { HistoryReport, SeriesName, Span } from '../history.ts';
import { type ConsolePage, type PageContext, pagePath } from '../page.ts';
import { badge, bytes, duration, facts, link, panel, table } from '../parts.ts';

/** A chart, and how the browser draws it. */
interface Chart {
  readonly title: string;
  /** What the lines are called, by series. */
  readonly lines: Readonly<Partial<Record<SeriesName, string>>>;
  readonly unit: '' | 'bytes' | 'ms' | '/s' | '%';
  /** What values are multiplied with. */
  readonly scale?: number;
}

const charts: readonly Chart[] = [
  { title: 'Messages per second', lines: { messagesIn: 'received', messagesOut: 'sent' }, unit: '/s' },
  { title: 'Sessions', lines: { sessions: 'sessions', connections: 'connections' }, unit: '' },
  { title: 'Presence and iq per second', lines: { otherIn: 'received', otherOut: 'sent' }, unit: '/s' },
  { title: 'Commits per second', lines: { commits: 'commits' }, unit: '/s' },
  { title: 'Busy main thread', lines: { busyMs: 'busy' }, unit: '%', scale: 0.1 },
  { title: 'Longest delay', lines: { lagMs: 'delay' }, unit: 'ms' },
  { title: 'Links with other servers', lines: { links: 'links' }, unit: '' },
  { title: 'Memory', lines: { residentBytes: 'resident' }, unit: 'bytes' },
];

const soonMs = 14 * 86_400_000;

/** The state of the server, with charts. */
export const overviewPage: ConsolePage = {
  name: '',
  title: 'Overview',
  group: '',
  operation: serverStatus,
  modules: ['live'],
  content: async (context, query) => {
    const span = query.text('span') === 'day' ? 'day' : 'hour';
    const [status, history] = await Promise.all([
      context.call(serverStatus, {}),
      context.call(serverHistory, { span: 'hour', afterMs: context.nowMs - 10_000 }),
    ]);
    return html`${warnings(status, context)}${tiles(status, history)}${chartsOf(span)}
<div class="columns">${certificates(status, context)}${about(status, context)}</div>`;
  },
};

function warnings({ disk, certificates: expiries }: StatusReport, { nowMs }: PageContext): Html[] {
  const found = [
    ...(disk.refusing ? ['The disk is nearly full: the server refuses new data until space is free.'] : []),
    ...expiries
      .filter(({ atMs }) => atMs < nowMs + soonMs)
      .map(({ domain, atMs }) =>
        atMs < nowMs
          ? `The certificate of ${domain} has expired.`
          : `The certificate of ${domain} expires in ${duration(atMs - nowMs)}.`,
      ),
  ];
  return found.map((text) => html`<p class="notice" role="status">${text}</p>`);
}

/** The figures that the browser renews. */
function tiles(status: StatusReport, { series }: HistoryReport): Html {
  const rate = (name: SeriesName) => (series[name].at(-1) ?? 0).toFixed(1);
  return html`<ul class="tiles">
${tile('Sessions', status.sessions, 'sessions')}
${tile('Messages received', `${rate('messagesIn')}/s`, 'messagesIn', '/s')}
${tile('Messages sent', `${rate('messagesOut')}/s`, 'messagesOut', '/s')}
${tile('Commits', `${rate('commits')}/s`, 'commits', '/s')}
${tile('Accounts', status.accounts.toLocaleString('en'))}
${tile('Links', series.links.at(-1) ?? 0, 'links')}
${tile('Memory', bytes(status.residentBytes), 'residentBytes', 'bytes')}
${tile('Disk free', bytes(status.disk.freeBytes), 'freeBytes', 'bytes')}
</ul>`;
}

function tile(name: string, value: string | number, series = '', unit = ''): Html {
  return html`<li><span>${name}</span><strong data-live="${series}" data-unit="${unit}">${value}</strong></li>`;
}

function chartsOf(span: Span): Html {
  const spans = [
    ['hour', 'Last hour'],
    ['day', 'Last day'],
  ] as const;
  return html`<div class="head"><h2>Figures</h2><nav class="tabs" aria-label="Time">${spans.map(
    ([name, text]) =>
      html`<a href="${pagePath('', { span: name === 'hour' ? undefined : name })}"${name === span && html` aria-current="true"`}>${text}</a>`,
  )}</nav></div>
<div class="charts" data-span="${span}">${charts.map(chartOf)}</div>
<noscript><p class="quiet">The charts need JavaScript.</p></noscript>`;
}

function chartOf({ title, lines, unit, scale = 1 }: Chart): Html {
  const names = Object.keys(lines);
  const legend = Object.values(lines);
  return html`<figure class="panel chart" data-series="${names.join(' ')}" data-names="${legend.join(' ')}" data-unit="${unit}" data-scale="${scale}">
<figcaption><span>${title}</span>${legend.length > 1 && legend.map((name, index) => html`<small class="key key-${index + 1}">${name}</small>`)}<output></output></figcaption>
<div class="plot"></div></figure>`;
}

function certificates({ certificates: expiries }: StatusReport, { nowMs }: PageContext): Html {
  const rows = expiries.map(({ domain, atMs }) => [domain, momentView(atMs), daysLeft(atMs - nowMs)]);
  return panel(
    'Certificates',
    table('Certificates', ['Domain', 'Valid until', 'Left'], rows, 'There are no certificates.'),
  );
}

function daysLeft(ms: number): Html {
  if (ms <= 0) return badge('bad', 'expired');
  return badge(ms < soonMs ? 'warn' : 'good', duration(ms));
}

function about(status: StatusReport, { nowMs }: PageContext): Html {
  const { version, pid, domains, startedAtMs, addresses, extensions, disk } = status;
  const ports = Object.entries(addresses).flatMap(([kind, listened]) =>
    listened.map(({ address, port }) => html`<div><code>${address}:${port}</code> <small>${kind}</small></div>`),
  );
  return panel(
    'Server',
    facts([
      ['Version', version],
      ['Process', pid],
      ['Started', html`${momentView(startedAtMs)}, ${duration(nowMs - startedAtMs)} ago`],
      ['Domains', domains.join(', ')],
      ['Addresses', html`${ports}`],
      ['Disk', `${bytes(disk.freeBytes)} of ${bytes(disk.totalBytes)} free`],
      ...Object.values(extensions).map(({ title, summary }) => [title, summary] as const),
    ]),
    html`<p>${link(pagePath('configuration'), 'Configuration')}</p>`,
  );
}
