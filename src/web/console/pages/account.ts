import { listUploads, removeUploads } from '../../../extensions/upload/upload-operations.ts';
import type { Suspension } from '../../../storage/moderation.ts';
import { archiveUsage, purgeArchive } from '../../control/archive-operations.ts';
import { listDevices, revokeDevice } from '../../control/device-operations.ts';
import { listSuspensions, resumeUser, suspendUser } from '../../control/moderation-operations.ts';
import { listSessions } from '../../control/session-operations.ts';
import { listUsers, removeUser } from '../../control/user-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { momentView } from '../../html/moment.ts';
import { type ConsoleAction, type ConsolePage, type FormFields, type PageContext, pagePath } from '../page.ts';
import {
  actionForm,
  badge,
  bytes,
  confirmedForm,
  counted,
  facts,
  field,
  panel,
  rowForm,
  table,
  wholeNumber,
} from '../parts.ts';
import { resetPassword } from './invitations.ts';
import { sessionTable } from './sessions.ts';
import { archiveFacts } from './storage.ts';

const dayMs = 86_400_000;
/** The files that are shown. */
const shownFiles = 20;

/** One account: its state, devices, sessions and data. */
export const accountPage: ConsolePage = {
  name: 'account',
  title: 'Account',
  within: 'accounts',
  operation: listUsers,
  content: async (context, query) => {
    const jid = query.needed('jid');
    const { suspensions } = await context.call(listSuspensions, {});
    const suspension = suspensions.find((one) => one.jid === jid);
    const [devices, sessions, archive, files] = await Promise.all([
      devicesPanel(context, jid),
      context.call(listSessions, { user: jid }),
      archivePanel(context, jid),
      filesPanel(context, jid),
    ]);
    return html`<p class="subject">${jid} ${suspension ? badge('warn', 'suspended') : badge('good', 'active')}</p>
${accessPanel(context, jid, suspension)}${panel('Sessions', sessionTable(context, sessions.sessions, 'The account has no session.'))}
${devices}${archive}${files}${removal(context, jid)}`;
  },
};

function accessPanel(context: PageContext, jid: string, suspension: Suspension | undefined): Html {
  if (suspension) {
    const { atMs, reason, removeAtMs } = suspension;
    return panel(
      'Access',
      facts([
        ['Suspended since', momentView(atMs)],
        ['Text for the user', reason],
        ['Removed at', removeAtMs === undefined ? undefined : momentView(removeAtMs)],
      ]),
      actionForm(context, resume, { hidden: { jid }, label: 'Resume' }),
    );
  }
  const fields = html`<div class="row">${field('reason', 'Text for the user')}${field(
    'days',
    'Remove the account after days',
    {
      type: 'number',
      hint: 'Empty: never',
    },
  )}</div>`;
  return panel(
    'Access',
    html`<p class="quiet">A suspended user cannot log in; messages are kept.</p>`,
    actionForm(context, suspend, { hidden: { jid }, fields, label: 'Suspend', kind: 'second' }),
    actionForm(context, resetPassword, {
      hidden: { jid },
      label: 'Make a link for a new password',
      kind: 'second',
    }),
  );
}

async function devicesPanel(context: PageContext, jid: string): Promise<Html> {
  const { devices } = await context.call(listDevices, { jid });
  const rows = devices.map((device) => [
    [device.software, device.name].filter(Boolean).join(' on ') || device.key,
    device.connected ? badge('good', 'connected') : momentView(device.lastSeenMs),
    [device.knowsPassword && 'password', device.hasToken && 'token'].filter(Boolean).join(', '),
    rowForm(context, revoke, { jid, device: device.key }, 'Revoke'),
  ]);
  return panel(
    'Devices',
    table('Devices', ['Device', 'Last seen', 'Access by', ''], rows, 'No device has named itself.'),
  );
}

async function archivePanel(context: PageContext, jid: string): Promise<Html> {
  const usage = await context.call(archiveUsage, { jid });
  return panel(
    'Archive',
    facts(archiveFacts(usage)),
    usage.messages > 0 &&
      confirmedForm(context, purge, {
        summary: 'Remove messages…',
        warning: 'The archived messages of this account are removed for good. Others keep their copies.',
        hidden: { jid },
        fields: field('days', 'Only messages older than days', { type: 'number', hint: 'Empty: all' }),
        label: 'Remove messages',
      }),
  );
}

/** Uploads may be off, and the names of files are for operators. */
async function filesPanel(context: PageContext, jid: string): Promise<Html> {
  if (!context.may(listUploads)) return html``;
  const { uploads } = await context.call(listUploads, { user: jid, limit: shownFiles });
  const rows = uploads.map(({ name, type, size, uploadedAtMs }) => [name, type, bytes(size), momentView(uploadedAtMs)]);
  const columns = ['File', 'Type', 'Size', 'Uploaded'];
  return panel(
    'Uploaded files',
    table('Uploaded files', columns, rows, 'The account has no files.'),
    uploads.length > 0 &&
      confirmedForm(context, removeFiles, {
        summary: 'Remove all files…',
        warning: 'All files of this account are removed for good.',
        hidden: { jid },
        label: 'Remove files',
      }),
  );
}

function removal(context: PageContext, jid: string): Html {
  if (!context.may(removeUser)) return html``;
  return panel(
    'Remove',
    confirmedForm(context, remove, {
      summary: 'Remove the account…',
      warning: 'The account is removed for good, with its contacts, messages, archive and files.',
      hidden: { jid },
      label: 'Remove the account',
    }),
  );
}

const back = (form: FormFields) => pagePath('account', { jid: form.needed('jid') });

const suspend: ConsoleAction = {
  path: 'account/suspend',
  operation: suspendUser,
  next: back,
  run: async ({ call }, form) => {
    const jid = form.needed('jid');
    const days = wholeNumber(form, 'days');
    const removeAfterMs = days === undefined ? undefined : days * dayMs;
    await call(suspendUser, { jid, reason: form.text('reason'), removeAfterMs });
    return `${jid} is suspended.`;
  },
};

const resume: ConsoleAction = {
  path: 'account/resume',
  operation: resumeUser,
  next: back,
  run: async ({ call }, form) => {
    await call(resumeUser, { jid: form.needed('jid') });
    return `${form.needed('jid')} may log in again.`;
  },
};

const revoke: ConsoleAction = {
  path: 'account/revoke',
  operation: revokeDevice,
  next: back,
  run: async ({ call }, form) => {
    const { knowsPassword } = await call(revokeDevice, { jid: form.needed('jid'), device: form.needed('device') });
    return knowsPassword
      ? 'The device has no access any more, until it logs in with the password, which it knows.'
      : 'The device has no access any more.';
  },
};

const purge: ConsoleAction = {
  path: 'account/purge',
  operation: purgeArchive,
  confirm: 'jid',
  next: back,
  run: async ({ call, nowMs }, form) => {
    const jid = form.needed('jid');
    const days = wholeNumber(form, 'days');
    const { removed } = await call(purgeArchive, {
      jid,
      beforeMs: days === undefined ? undefined : nowMs - days * dayMs,
    });
    return `${counted(removed, 'message')} removed.`;
  },
};

const removeFiles: ConsoleAction = {
  path: 'account/remove-files',
  operation: removeUploads,
  confirm: 'jid',
  next: back,
  run: async ({ call }, form) => {
    const { removed } = await call(removeUploads, { user: form.needed('jid') });
    return `${counted(removed, 'file')} removed.`;
  },
};

const remove: ConsoleAction = {
  path: 'account/remove',
  operation: removeUser,
  confirm: 'jid',
  next: () => pagePath('accounts'),
  run: async ({ call }, form) => {
    const jid = form.needed('jid');
    await call(removeUser, { jid });
    return `${jid} was removed.`;
  },
};

/** What can be done with one account. */
export const accountActions: readonly ConsoleAction[] = [suspend, resume, revoke, purge, removeFiles, remove];
