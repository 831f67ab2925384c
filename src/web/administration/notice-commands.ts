import { announce, listNotices, removeNotice, setNotice } from '../../extensions/announcements.ts';
import type { ReceivedForm } from '../../protocol/data-form.ts';
import type { Jid } from '../../protocol/jid.ts';
import type { LocalIqEnds } from '../../routing/extension.ts';
import type { NoticeKind } from '../../storage/moderation.ts';
import { blockDomain, listBlockedDomains, unblockDomain } from '../control/moderation-operations.ts';
import type { Administrator } from './administration-access.ts';
import { type AdministrationCommand, type Field, lines } from './for-administrators.ts';

const text: Field = { var: 'announcement', type: 'text-multi', label: 'Text', required: true };
const subject: Field = { var: 'subject', type: 'text-single', label: 'Subject' };
const motd: Field = { ...text, var: 'motd' };
const welcome: Field = { ...text, var: 'welcome' };

/** Announcements, the texts for users who come online, and blocked domains. */
export const noticeCommands: readonly AdministrationCommand<LocalIqEnds>[] = [
  {
    name: 'announce',
    title: 'Announce to users who are online',
    fields: [subject, text],
    run: (administrator, form, { to }) => announced(administrator, form, to, 'online'),
  },
  {
    name: 'announce-all',
    title: 'Announce to all users',
    fields: [subject, text],
    run: (administrator, form, { to }) => announced(administrator, form, to, 'all'),
  },
  {
    name: 'set-motd',
    title: 'Set what users get when they come online',
    fields: [motd],
    run: (administrator, form, { to }) => set(administrator, to, 'online', lines(form, 'motd')),
  },
  {
    name: 'edit-motd',
    title: 'Edit what users get when they come online',
    fields: (administrator, { to }) => withText(administrator, to, 'online', motd),
    run: (administrator, form, { to }) => set(administrator, to, 'online', lines(form, 'motd')),
  },
  {
    name: 'delete-motd',
    title: 'Remove what users get when they come online',
    fields: [],
    run: (administrator, _form, { to }) => remove(administrator, to, 'online'),
  },
  {
    name: 'set-welcome',
    title: 'Set what users get when they come online for the first time',
    fields: (administrator, { to }) => withText(administrator, to, 'welcome', welcome),
    run: (administrator, form, { to }) => set(administrator, to, 'welcome', lines(form, 'welcome')),
  },
  {
    name: 'delete-welcome',
    title: 'Remove what users get when they come online for the first time',
    fields: [],
    run: (administrator, _form, { to }) => remove(administrator, to, 'welcome'),
  },
  {
    name: 'edit-blacklist',
    title: 'Edit the blocked domains',
    fields: async (administrator) => {
      const values = await blocked(administrator);
      return [
        { var: 'blacklistjids', type: 'text-multi', label: 'Domains; *. in front stands for subdomains', values },
      ];
    },
    run: (administrator, form) => editBlocked(administrator, form),
  },
];

async function announced(administrator: Administrator, form: ReceivedForm, { domain }: Jid, to: 'online' | 'all') {
  const title = form.text('subject') || undefined;
  await administrator.call(announce, { text: lines(form, 'announcement'), subject: title, to, domain });
  return 'It was announced.';
}

/** The field with the text that is set now. */
async function withText(administrator: Administrator, { domain }: Jid, kind: NoticeKind, field: Field) {
  const { notices } = await administrator.call(listNotices, {});
  const found = notices.find((notice) => notice.domain === domain && notice.kind === kind);
  return [found ? { ...field, values: found.text.split('\n') } : field];
}

async function set(administrator: Administrator, { domain }: Jid, kind: NoticeKind, wanted: string) {
  await administrator.call(setNotice, { domain, kind, text: wanted });
  return kind === 'welcome'
    ? 'New users get it when they come online.'
    : 'Users who are online get it now, the others when they come online.';
}

async function remove(administrator: Administrator, { domain }: Jid, kind: NoticeKind) {
  await administrator.call(removeNotice, { domain, kind });
  return 'It was removed.';
}

async function blocked(administrator: Administrator): Promise<string[]> {
  const { domains } = await administrator.call(listBlockedDomains, {});
  return domains.map(({ domain }) => domain);
}

/** Blocks what was added, and takes back what was removed. */
async function editBlocked(administrator: Administrator, form: ReceivedForm): Promise<string> {
  const written = form.fields.get('blacklistjids') ?? [];
  const wanted = new Set(written.map((domain) => domain.trim()).filter((domain) => domain !== ''));
  const before = new Set(await blocked(administrator));
  for (const domain of wanted) if (!before.has(domain)) await administrator.call(blockDomain, { domain });
  for (const domain of before) if (!wanted.has(domain)) await administrator.call(unblockDomain, { domain });
  return `${wanted.size === 1 ? '1 domain is' : `${wanted.size} domains are`} blocked.`;
}
