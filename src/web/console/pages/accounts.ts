import type { Suspension } from '../../../storage/moderation.ts';
import { approveUser, listSuspensions, listWaiting, rejectUser } from '../../control/moderation-operations.ts';
import { listUsers } from '../../control/user-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { momentView } from '../../html/moment.ts';
import { type ConsoleAction, type ConsolePage, type PageContext, pagePath } from '../page.ts';
import { accountLink, badge, duration, field, lookUpForm, nextPage, panel, rowForm, table } from '../parts.ts';

const pageSize = 100;

/** The accounts, with a search. */
export const accountsPage: ConsolePage = {
  name: 'accounts',
  title: 'Accounts',
  group: 'People',
  operation: listUsers,
  content: async (context, query) => {
    const { call, nowMs } = context;
    const [containing, after] = [query.text('containing'), query.text('after')];
    const [{ users }, { suspensions }, { accounts: waiting }] = await Promise.all([
      call(listUsers, { containing, after, limit: pageSize }),
      call(listSuspensions, {}),
      call(listWaiting, {}),
    ]);
    const suspended = new Set(suspensions.map(({ jid }) => jid));
    const waits = new Set(waiting.map(({ jid }) => jid));
    const rows = users.map((jid) => [
      accountLink(jid),
      suspended.has(jid) ? badge('warn', 'suspended') : waits.has(jid) ? badge('warn', 'waits for approval') : '',
    ]);
    const next = users.length === pageSize ? pagePath('accounts', { containing, after: users.at(-1) }) : undefined;
    const search = field('containing', 'Address contains', { type: 'search', value: containing ?? '' });
    const suspensionRows = suspensions.map(({ jid, atMs, reason = '', removeAtMs }) => [
      accountLink(jid),
      momentView(atMs),
      reason,
      removeAtMs === undefined ? '' : `removed in ${duration(removeAtMs - nowMs)}`,
    ]);
    const columns = ['Account', 'Since', 'Reason', ''];
    return html`${waiting.length > 0 && waitingPanel(context, waiting)}
${lookUpForm('/console/accounts', search, 'Search')}
${table('Accounts', ['Account', 'State'], rows, containing === undefined ? 'There are no accounts.' : 'No account fits.')}
${nextPage(next)}
${suspensions.length > 0 && panel('Suspended', table('Suspended accounts', columns, suspensionRows, ''))}`;
  },
};

function waitingPanel(context: PageContext, waiting: readonly Suspension[]): Html {
  const rows = waiting.map(({ jid, atMs, removeAtMs = context.nowMs }) => [
    jid,
    momentView(atMs),
    `removed in ${duration(removeAtMs - context.nowMs)}`,
    html`${rowForm(context, approve, { jid }, 'Approve')} ${rowForm(context, reject, { jid }, 'Reject')}`,
  ]);
  return panel('Waiting for approval', table('Accounts that wait', ['Account', 'Since', '', ''], rows, ''));
}

/** A decision about an account that waits for approval. */
function decision(path: string, operation: typeof approveUser | typeof rejectUser, outcome: string): ConsoleAction {
  return {
    path,
    operation,
    next: () => pagePath('accounts'),
    run: async ({ call }, form) => {
      const jid = form.needed('jid');
      await call(operation, { jid });
      return `${jid} ${outcome}.`;
    },
  };
}

const approve = decision('accounts/approve', approveUser, 'is approved');
const reject = decision('accounts/reject', rejectUser, 'was removed');

/** What can be done about accounts that wait for approval. */
export const accountsActions: readonly ConsoleAction[] = [approve, reject];
