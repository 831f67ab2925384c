import { listUploads, removeUploads, uploadUsage } from '../../../extensions/upload/upload-operations.ts';
import type { StoredUpload } from '../../../storage/uploads.ts';
import { type ArchiveReport, archiveUsage } from '../../control/archive-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { momentView } from '../../html/moment.ts';
import { type ConsoleAction, type ConsolePage, type FormFields, type PageContext, pagePath } from '../page.ts';
import {
  accountLink,
  accountSearch,
  bytes,
  counted,
  facts,
  link,
  lookUpForm,
  nextPage,
  panel,
  rowForm,
  table,
} from '../parts.ts';

const pageSize = 50;
/** The accounts with the most bytes that are shown. */
const largestAccounts = 20;

/** Archives and uploaded files, by account. */
export const storagePage: ConsolePage = {
  name: 'storage',
  title: 'Archive and uploads',
  group: 'People',
  operation: uploadUsage,
  content: async (context, query) => {
    const user = query.text('user');
    const search = accountSearch(user);
    const [archive, usage, files] = await Promise.all([
      user === undefined ? archiveHint() : archiveOf(context, user),
      usagePanel(context),
      filesPanel(context, query),
    ]);
    return html`${lookUpForm('/console/storage', search, 'Show')}<div class="columns">${archive}${usage}</div>${files}`;
  },
};

function archiveHint(): Html {
  return panel(
    'Archive',
    html`<p class="quiet">Name an account to measure its archive. <code>ampere archive usage</code> measures all archives together, which takes a while.</p>`,
  );
}

async function archiveOf({ call }: PageContext, jid: string): Promise<Html> {
  return panel('Archive', facts([['Account', accountLink(jid)], ...archiveFacts(await call(archiveUsage, { jid }))]));
}

/** The size of an archive, and the time of its messages. */
export function archiveFacts({
  messages,
  bytes: size,
  oldestMs,
  newestMs,
}: ArchiveReport): Parameters<typeof facts>[0] {
  return [
    ['Messages', messages.toLocaleString('en')],
    ['Size', bytes(size)],
    ['From', oldestMs === undefined ? undefined : momentView(oldestMs)],
    ['To', newestMs === undefined ? undefined : momentView(newestMs)],
  ];
}

async function usagePanel({ call }: PageContext): Promise<Html> {
  const { bytes: total, accounts } = await call(uploadUsage, { limit: largestAccounts });
  const rows = accounts.map(({ owner, files, bytes: size }) => [
    link(pagePath('storage', { user: owner }), owner),
    files.toLocaleString('en'),
    bytes(size),
  ]);
  return panel(
    'Uploads by account',
    html`<p>${bytes(total)} in all.</p>`,
    table('Uploads by account', ['Account', 'Files', 'Size'], rows, 'Nobody has uploaded anything.'),
  );
}

async function filesPanel(context: PageContext, query: FormFields): Promise<Html> {
  if (!context.may(listUploads)) return html``;
  const user = query.text('user');
  const { uploads } = await context.call(listUploads, { user, before: query.number('before'), limit: pageSize });
  const next = uploads.length === pageSize ? pagePath('storage', { user, before: uploads.at(-1)?.number }) : undefined;
  const rows = uploads.map((upload) => fileRow(context, upload));
  return panel(
    'Files',
    table('Files', ['File', 'Type', 'Size', 'Uploaded', 'By', ''], rows, 'There are no files.'),
    nextPage(next),
  );
}

function fileRow(context: PageContext, { id, name, type, size, uploadedAtMs, owner }: StoredUpload) {
  return [
    name,
    type,
    bytes(size),
    momentView(uploadedAtMs),
    accountLink(owner),
    rowForm(context, removeFile, { url: id, user: owner }, 'Remove'),
  ];
}

const removeFile: ConsoleAction = {
  path: 'storage/remove',
  operation: removeUploads,
  next: (form) => pagePath('storage', { user: form.text('user') }),
  run: async ({ call }, form) => {
    const { removed } = await call(removeUploads, { url: form.needed('url') });
    return `${counted(removed, 'file')} removed.`;
  },
};

/** What can be done with files. */
export const storageActions: readonly ConsoleAction[] = [removeFile];
