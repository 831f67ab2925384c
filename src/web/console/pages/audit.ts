import { listAdministrations } from '../../control/audit.ts';
import { html } from '../../html/html.ts';
import { momentView } from '../../html/moment.ts';
import { type ConsolePage, pagePath } from '../page.ts';
import { badge, field, lookUpForm, nextPage, table } from '../parts.ts';

const pageSize = 100;

/** What operators have done. */
export const auditPage: ConsolePage = {
  name: 'audit',
  title: 'Audit log',
  group: 'Server',
  operation: listAdministrations,
  content: async ({ call }, query) => {
    const [operator, subject, before] = [query.text('operator'), query.text('subject'), query.number('before')];
    const { administrations } = await call(listAdministrations, { operator, subject, before, limit: pageSize });
    const rows = administrations.map((one) => [
      momentView(one.atMs),
      one.operator,
      one.origin,
      html`<code>${one.operation}</code>`,
      one.subject ?? '',
      one.result === 'done' ? badge('good', 'done') : one.result,
    ]);
    const more = administrations.length === pageSize;
    const next = more ? pagePath('audit', { operator, subject, before: administrations.at(-1)?.id }) : undefined;
    const search = html`${field('operator', 'Operator', { type: 'search', value: operator })}${field(
      'subject',
      'Subject',
      {
        type: 'search',
        value: subject,
      },
    )}`;
    const columns = ['When', 'Operator', 'By way of', 'Operation', 'Subject', 'Result'];
    return html`${lookUpForm('/console/audit', search, 'Show')}
${table('Audit log', columns, rows, 'Nothing is recorded.')}${nextPage(next)}`;
  },
};
