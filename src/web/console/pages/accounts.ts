import { listSuspensions } from '../../control/moderation-operations.ts';
import { listUsers } from '../../control/user-operations.ts';
import { html } from '../../html/html.ts';
import { type ConsolePage, pagePath } from '../page.ts';
import { badge, duration, field, link, lookUpForm, nextPage, panel, table, time } from '../parts.ts';

const pageSize = 100;

/** The accounts, with a search. */
export const accountsPage: ConsolePage = {
  name: 'accounts',
  title: 'Accounts',
  group: 'People',
  operation: listUsers,
  content: async ({ call, nowMs }, query) => {
    const [containing, after] = [query.text('containing'), query.text('after')];
    const [{ users }, { suspensions }] = await Promise.all([
      call(listUsers, { containing, after, limit: pageSize }),
      call(listSuspensions, {}),
    ]);
    const suspended = new Set(suspensions.map(({ jid }) => jid));
    const rows = users.map((jid) => [
      link(pagePath('account', { jid }), jid),
      suspended.has(jid) ? badge('warn', 'suspended') : '',
    ]);
    const next = users.length === pageSize ? pagePath('accounts', { containing, after: users.at(-1) }) : undefined;
    const search = field('containing', 'Address contains', { type: 'search', value: containing ?? '' });
    const suspensionRows = suspensions.map(({ jid, atMs, reason = '', removeAtMs }) => [
      link(pagePath('account', { jid }), jid),
      time(atMs),
      reason,
      removeAtMs === undefined ? '' : `removed in ${duration(removeAtMs - nowMs)}`,
    ]);
    const columns = ['Account', 'Since', 'Reason', ''];
    return html`${lookUpForm('/console/accounts', search, 'Search')}
${table('Accounts', ['Account', 'State'], rows, containing === undefined ? 'There are no accounts.' : 'No account fits.')}
${nextPage(next)}
${suspensions.length > 0 && panel('Suspended', table('Suspended accounts', columns, suspensionRows, ''))}`;
  },
};
