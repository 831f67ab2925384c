import { kick, listSessions, type SessionReport } from '../../control/session-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { momentView } from '../../html/moment.ts';
import { type ConsoleAction, type ConsolePage, type PageContext, pagePath } from '../page.ts';
import { accountLink, accountSearch, badge, counted, lookUpForm, rowForm, table } from '../parts.ts';

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
    const search = accountSearch(user);
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
      html`${accountLink(account)}<small class="resource">/${session.jid.slice(account.length + 1)}</small>`,
      presence(session),
      session.boundAtMs === undefined ? '' : momentView(session.boundAtMs),
      connection(session),
      rowForm(context, end, { jid: session.jid }, 'End'),
    ];
  });
  return table('Sessions', ['Session', 'Presence', 'Since', 'Connection', ''], rows, none);
}

function presence({ available, priority }: SessionReport): Html {
  if (!available) return badge('plain', 'not available');
  return html`${badge('good', 'available')}${priority !== 0 && html` <small>priority ${priority}</small>`}`;
}

function connection({ remoteAddress, secure }: SessionReport): Html {
  if (remoteAddress === undefined) return badge('plain', 'waits to resume');
  return html`${remoteAddress}${!secure && html` ${badge('warn', 'no TLS')}`}`;
}

const end: ConsoleAction = {
  path: 'sessions/end',
  operation: kick,
  next: () => pagePath('sessions'),
  run: async ({ call }, form) => {
    const { ended } = await call(kick, { jid: form.needed('jid') });
    return `${ended.join(', ')} was disconnected.`;
  },
};

/** What can be done with sessions. */
export const sessionActions: readonly ConsoleAction[] = [end];
