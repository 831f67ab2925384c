import { kick, listSessions, type SessionReport } from '../../control/session-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { type ConsoleAction, type ConsolePage, type PageContext, pagePath } from '../page.ts';
import { actionForm, badge, counted, field, link, lookUpForm, table, time } from '../parts.ts';

/** The sessions that one page shows. */
const mostShown = 500;

/** The sessions of users. */
export const sessionsPage: ConsolePage = {
  name: 'sessions',
  title: 'Sessions',
  group: 'People',
  operation: listSessions,
  content: async (context, query) => {
    const user = query.text('user');
    const { sessions } = await context.call(listSessions, { user });
    const search = field('user', 'Account', { type: 'search', value: user ?? '', placeholder: 'romeo@example.org' });
    const left = sessions.length - mostShown;
    return html`${lookUpForm('/console/sessions', search, 'Show')}
${sessionTable(context, sessions.slice(0, mostShown), 'Nobody is connected.')}
${left > 0 && html`<p class="quiet">${counted(left, 'more session')} not shown.</p>`}`;
  },
};

/** A table of sessions. */
export function sessionTable(context: PageContext, sessions: readonly SessionReport[], none: string): Html {
  const rows = sessions.map((session) => {
    const [account = ''] = session.jid.split('/');
    return [
      html`${link(pagePath('account', { jid: account }), account)}<small class="resource">/${session.jid.slice(account.length + 1)}</small>`,
      session.available ? badge('good', `available, ${session.priority}`) : badge('plain', 'not available'),
      session.boundAtMs === undefined ? '' : time(session.boundAtMs),
      connection(session),
      actionForm(context, {
        path: 'sessions/end',
        operation: kick,
        hidden: { jid: session.jid },
        label: 'End',
        kind: 'small',
      }),
    ];
  });
  return table('Sessions', ['Session', 'Presence', 'Since', 'Connection', ''], rows, none);
}

function connection({ remoteAddress, secure }: SessionReport): Html {
  if (remoteAddress === undefined) return badge('plain', 'may resume');
  return html`${remoteAddress}${!secure && html` ${badge('warn', 'no TLS')}`}`;
}

/** What can be done with sessions. */
export const sessionActions: readonly ConsoleAction[] = [
  {
    path: 'sessions/end',
    operation: kick,
    next: () => pagePath('sessions'),
    run: async ({ call }, form) => {
      const { ended } = await call(kick, { jid: form.needed('jid') });
      return `${ended.join(', ')} was disconnected.`;
    },
  },
];
