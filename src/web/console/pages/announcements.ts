import { announce, listNotices, removeNotice, setNotice } from '../../../extensions/announcements.ts';
import { type NoticeKind, noticeKinds } from '../../../storage/moderation.ts';
import { serverStatus } from '../../control/server-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { type ConsoleAction, type ConsolePage, type FormFields, type PageContext, pagePath } from '../page.ts';
import { actionForm, choice, counted, field, panel, rowForm, table, textArea } from '../parts.ts';

const kindNames: Readonly<Record<NoticeKind, string>> = {
  online: 'when they come online',
  welcome: 'when they come online for the first time',
};
const nowhere = () => pagePath('announcements');

/** Announcements, and the notices that users get when they come online. */
export const announcementsPage: ConsolePage = {
  name: 'announcements',
  title: 'Announcements',
  group: 'People',
  operation: listNotices,
  content: async (context) => {
    const [{ notices }, { domains }] = await Promise.all([
      context.call(listNotices, {}),
      context.call(serverStatus, {}),
    ]);
    const rows = notices.map(({ domain, kind, since, text }) => [
      domain,
      kindNames[kind],
      since.slice(0, 16).replace('T', ' '),
      html`<span class="lines">${text}</span>`,
      rowForm(context, remove, { domain, kind }, 'Remove'),
    ]);
    const columns = ['Domain', 'When', 'Since', 'Text', ''];
    return html`${panel('When users come online', table('Notices', columns, rows, 'Users get no text when they come online.'))}
<div class="columns">${announcementForm(context)}${noticeForm(context, domains)}</div>`;
  },
};

function announcementForm(context: PageContext): Html {
  if (!context.may(announce)) return html``;
  const fields = html`${choice('to', 'To', [
    ['online', 'Everybody who is online'],
    ['all', 'All accounts, also those who are absent'],
  ])}${field('subject', 'Subject')}${textArea('text', 'Text')}`;
  return panel('Announce', actionForm(context, send, { fields, label: 'Announce' }));
}

function noticeForm(context: PageContext, domains: readonly string[]): Html {
  if (!context.may(setNotice)) return html``;
  const names = domains.map((domain) => [domain, domain] as const);
  const kinds = noticeKinds.map((kind) => [kind, kind === 'online' ? 'once, now or later' : kindNames[kind]] as const);
  const fields = html`${choice('domain', 'Users of', names)}${choice('kind', 'When', kinds)}${textArea('text', 'Text')}`;
  return panel(
    'Set the text when users come online',
    actionForm(context, set, { fields, label: 'Set', kind: 'second' }),
  );
}

function kindIn(form: FormFields): NoticeKind {
  return form.text('kind') === 'welcome' ? 'welcome' : 'online';
}

const send: ConsoleAction = {
  path: 'announcements/send',
  operation: announce,
  next: nowhere,
  run: async ({ call }, form) => {
    const to = form.text('to') === 'all' ? 'all' : 'online';
    const { recipients } = await call(announce, { to, text: form.needed('text'), subject: form.text('subject') });
    return `Sent to ${counted(recipients, 'account')}.`;
  },
};

const set: ConsoleAction = {
  path: 'announcements/set',
  operation: setNotice,
  next: nowhere,
  run: async ({ call }, form) => {
    const kind = kindIn(form);
    await call(setNotice, { domain: form.needed('domain'), kind, text: form.needed('text') });
    return kind === 'welcome'
      ? 'New users get it when they come online.'
      : 'Users who are online get it now, the others when they come online.';
  },
};

const remove: ConsoleAction = {
  path: 'announcements/remove',
  operation: removeNotice,
  next: nowhere,
  run: async ({ call }, form) => {
    await call(removeNotice, { domain: form.needed('domain'), kind: kindIn(form) });
    return `The text for ${form.needed('domain')} was removed.`;
  },
};

/** What can be announced. */
export const announcementActions: readonly ConsoleAction[] = [send, set, remove];
