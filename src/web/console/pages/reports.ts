import { type PassingOn, reasonWord, type StoredReport } from '../../../storage/reports.ts';
import { listReports, removeReport, showReport } from '../../control/report-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { momentView } from '../../html/moment.ts';
import { type ConsoleAction, type ConsolePage, type PageContext, pagePath } from '../page.ts';
import { accountLink, actionForm, facts, link, nextPage, panel, table } from '../parts.ts';

const pageSize = 50;

const recipients: Readonly<Record<PassingOn, string>> = {
  'report-origin': 'the server of the address',
  'third-party': 'third parties',
};

/** The reports of users about spam and abuse. */
export const reportsPage: ConsolePage = {
  name: 'reports',
  title: 'Reports',
  group: 'People',
  operation: listReports,
  content: async (context, query) => {
    const { reports } = await context.call(listReports, { before: query.number('before'), limit: pageSize });
    const mayRead = context.may(showReport);
    const rows = reports.map(({ id, atMs, jid, reason, reporter, messageCount }) => [
      mayRead ? link(pagePath('report', { id }), `Report ${id}`) : `Report ${id}`,
      momentView(atMs),
      jid,
      reasonWord(reason),
      accountLink(reporter),
      messageCount.toLocaleString('en'),
    ]);
    const next = reports.length === pageSize ? pagePath('reports', { before: reports.at(-1)?.id }) : undefined;
    const columns = ['Report', 'When', 'About', 'Reason', 'By', 'Messages'];
    return html`${table('Reports', columns, rows, 'Nobody has reported anything.')}${nextPage(next)}`;
  },
};

/** One report, with the messages that it quotes. The audit log records who has read it. */
export const reportPage: ConsolePage = {
  name: 'report',
  title: 'Report',
  within: 'reports',
  operation: showReport,
  content: async (context, query) => {
    const report = await context.call(showReport, { id: query.number('id') ?? 0 });
    return html`${about(report)}${messagesPanel(report)}${removal(context, report)}`;
  },
};

function about({ id, atMs, jid, reason, reporter, texts, passingOn }: StoredReport): Html {
  const allowed = passingOn.map((one) => recipients[one]).join(' and ');
  return panel(
    `Report ${id}`,
    facts([
      ['When', momentView(atMs)],
      ['About', jid],
      ['Reason', reasonWord(reason)],
      ['By', accountLink(reporter)],
      ['May be passed on to', allowed || 'nobody'],
      ...texts.map(({ text, lang }) => [lang === undefined ? 'Text' : `Text (${lang})`, text] as const),
    ]),
  );
}

function messagesPanel({ messages }: StoredReport): Html {
  const shown = messages.map(({ atMs, xml }) => html`<li>${momentView(atMs)}<pre>${xml}</pre></li>`);
  return panel(
    'Messages',
    messages.length === 0
      ? html`<p class="none">The report quotes no message.</p>`
      : html`<ol class="messages">${shown}</ol>`,
  );
}

function removal(context: PageContext, { id }: StoredReport): Html {
  return actionForm(context, remove, {
    hidden: { id },
    label: 'Remove the report',
    kind: 'danger',
  });
}

const remove: ConsoleAction = {
  path: 'report/remove',
  operation: removeReport,
  next: () => pagePath('reports'),
  run: async ({ call }, form) => {
    const id = form.number('id') ?? 0;
    await call(removeReport, { id });
    return `Report ${id} was removed.`;
  },
};

/** What can be done with reports. */
export const reportActions: readonly ConsoleAction[] = [remove];
