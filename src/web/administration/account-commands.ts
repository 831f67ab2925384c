import type { LocalIqEnds } from '../../routing/extension.ts';
import { approveUser, listWaiting, rejectUser } from '../control/moderation-operations.ts';
import { listSessions } from '../control/session-operations.ts';
import { showUser, userRoster } from '../control/user-operations.ts';
import type { Administrator } from './administration-access.ts';
import { type AdministrationCommand, type Field, forEachAccount, one } from './for-administrators.ts';

const account: Field = { var: 'accountjid', type: 'jid-single', label: 'Address of the account', required: true };

/** What the commands show of one account. */
export const accountCommands: readonly AdministrationCommand<LocalIqEnds>[] = [
  {
    name: 'get-user-roster',
    title: 'Show the contacts of a user',
    fields: [account],
    run: async (administrator, form) => {
      const jid = one(form, 'accountjid');
      const { contacts } = await administrator.call(userRoster, { jid });
      const rows = contacts.map(({ contact, subscription, name }) => `${contact} (${subscription}) ${name}`.trim());
      return [shown('accountjid', jid), { var: 'roster', type: 'text-multi', label: 'Contacts', values: rows }];
    },
  },
  {
    name: 'get-user-lastlogin',
    title: 'Show when a user was last online',
    fields: [account],
    run: async (administrator, form) => {
      const jid = one(form, 'accountjid');
      // In this order, because the end of the last session is what the account shows.
      const { sessions } = await administrator.call(listSessions, { user: jid });
      const { lastOnline } = await administrator.call(showUser, { jid });
      const known = sessions.length > 0 ? 'online now' : (lastOnline ?? 'never');
      return [shown('accountjid', jid), shown('lastlogin', known)];
    },
  },
  {
    name: 'get-user-stats',
    title: 'Show the sessions and the size of the roster of a user',
    fields: [account],
    run: async (administrator, form) => {
      const jid = one(form, 'accountjid');
      const { contacts } = await administrator.call(showUser, { jid });
      const { sessions } = await administrator.call(listSessions, { user: jid });
      const addresses = new Set(sessions.flatMap(({ remoteAddress }) => remoteAddress ?? []));
      const resources = sessions.map((session) => session.jid.slice(session.jid.indexOf('/') + 1));
      return [
        shown('accountjid', jid),
        { var: 'ipaddresses', type: 'text-multi', label: 'Addresses of its clients', values: [...addresses] },
        shown('rostersize', String(contacts)),
        { var: 'onlineresources', type: 'text-multi', label: 'Resources', values: resources },
      ];
    },
  },
];

const accounts: Field = { var: 'accountjids', type: 'jid-multi', label: 'Addresses of the accounts', required: true };

/** Commands of this server for accounts that wait for approval. */
export const approvalCommands: readonly AdministrationCommand<LocalIqEnds>[] = [
  {
    name: 'approve',
    title: 'Approve registered users',
    fields: (administrator) => waiting(administrator),
    run: (administrator, form) =>
      forEachAccount(form, 'is approved', (jid) => administrator.call(approveUser, { jid })),
  },
  {
    name: 'reject',
    title: 'Reject registered users',
    fields: (administrator) => waiting(administrator),
    run: (administrator, form) => forEachAccount(form, 'was removed', (jid) => administrator.call(rejectUser, { jid })),
  },
];

/** A form with all accounts that wait: the administrator deletes those that something else becomes of. */
async function waiting(administrator: Administrator): Promise<Field[]> {
  const found = await administrator.call(listWaiting, {});
  return [{ ...accounts, values: found.accounts.map(({ jid }) => jid) }];
}

function shown(name: string, value: string): Field {
  return { var: name, type: 'text-single', values: [value] };
}
