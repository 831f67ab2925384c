import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { DomainCommand, LocalIqEnds } from '../../routing/extension.ts';
import { OperationError } from '../../routing/operation-error.ts';
import { newConsoleLink } from '../control/console-operations.ts';
import { listSuspensions, resumeUser, suspendUser } from '../control/moderation-operations.ts';
import { kick, listSessions } from '../control/session-operations.ts';
import { addUser, listUsers, removeUser, setPassword } from '../control/user-operations.ts';
import { accountCommands, approvalCommands } from './account-commands.ts';
import type { AdministrationAccess, Administrator } from './administration-access.ts';
import {
  type AdministrationCommand,
  type Field,
  forAdministrators,
  forEachAccount,
  one,
} from './for-administrators.ts';
import { noticeCommands } from './notice-commands.ts';

/** Dependencies of the commands. */
interface AdministrationCommandsDeps {
  /** The accounts that may use them, as bare JIDs; read at each use. */
  readonly administrators: () => readonly string[];
  readonly access: Pick<AdministrationAccess, 'for'>;
}

const account: Field = { var: 'accountjid', type: 'jid-single', label: 'Address of the account', required: true };
const accounts: Field = { var: 'accountjids', type: 'jid-multi', label: 'Addresses of the accounts', required: true };
const password: Field = { var: 'password', type: 'text-private', label: 'Password', required: true };
const passwordAgain: Field = { var: 'password-verify', type: 'text-private', label: 'Password again', required: true };

/** The most addresses in a list. */
const mostListed = 1000;
const largestPage = 10_000;

const commands: readonly AdministrationCommand<LocalIqEnds>[] = [
  {
    name: 'add-user',
    title: 'Add a user',
    fields: [account, password, passwordAgain],
    run: async (administrator, form) => {
      const jid = one(form, 'accountjid');
      const given = one(form, 'password');
      if (form.text('password-verify') !== given) throw new OperationError('invalid', 'The passwords differ.');
      await administrator.call(addUser, { jid, password: given });
      return `${jid} was added.`;
    },
  },
  {
    name: 'delete-user',
    title: 'Remove users',
    fields: [accounts],
    run: (administrator, form) => forEachAccount(form, 'was removed', (jid) => administrator.call(removeUser, { jid })),
  },
  {
    name: 'disable-user',
    title: 'Suspend users',
    fields: [accounts, { var: 'reason', type: 'text-single', label: 'Text for the users' }],
    run: (administrator, form) => {
      const reason = form.text('reason') || undefined;
      return forEachAccount(form, 'is suspended', (jid) => administrator.call(suspendUser, { jid, reason }));
    },
  },
  {
    name: 'reenable-user',
    title: 'Resume suspended users',
    fields: [accounts],
    run: (administrator, form) =>
      forEachAccount(form, 'may log in again', (jid) => administrator.call(resumeUser, { jid })),
  },
  {
    name: 'end-user-session',
    title: 'End sessions of users',
    fields: [accounts],
    run: (administrator, form) => forEachAccount(form, 'was disconnected', (jid) => administrator.call(kick, { jid })),
  },
  {
    name: 'change-user-password',
    title: 'Change the password of a user',
    fields: [account, password],
    run: async (administrator, form) => {
      const jid = one(form, 'accountjid');
      await administrator.call(setPassword, { jid, password: one(form, 'password') });
      return `The password of ${jid} was changed.`;
    },
  },
  {
    name: 'get-registered-users-num',
    title: 'Number of users',
    fields: [],
    run: async (administrator, _form, { to }) => {
      let number = 0;
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page: readonly string[] = (
          await administrator.call(listUsers, { domain: to.domain, after, limit: largestPage })
        ).users;
        number += page.length;
        after = page.length === largestPage ? page.at(-1) : undefined;
      }
      return counted('registeredusersnum', number);
    },
  },
  {
    name: 'get-disabled-users-num',
    title: 'Number of suspended users',
    fields: [],
    run: async (administrator, _form, { to }) =>
      counted('disabledusersnum', (await suspendedAt(administrator, to)).length),
  },
  {
    name: 'get-online-users-num',
    title: 'Number of users who are online',
    fields: [],
    run: async (administrator, _form, { to }) => counted('onlineusersnum', (await onlineAt(administrator, to)).length),
  },
  {
    name: 'get-registered-users-list',
    title: 'List users',
    fields: [],
    run: async (administrator, _form, { to }) => {
      const { users } = await administrator.call(listUsers, { domain: to.domain, limit: mostListed });
      return listed('registereduserjids', users);
    },
  },
  {
    name: 'get-disabled-users-list',
    title: 'List suspended users',
    fields: [],
    run: async (administrator, _form, { to }) => listed('disableduserjids', await suspendedAt(administrator, to)),
  },
  {
    name: 'get-online-users-list',
    title: 'List users who are online',
    fields: [],
    run: async (administrator, _form, { to }) => listed('onlineuserjids', await onlineAt(administrator, to)),
  },
];

/** A command of this server. */
const consoleCommand: AdministrationCommand<LocalIqEnds> = {
  name: 'open',
  title: 'Open the console',
  fields: [],
  run: async (administrator, _form, { from }) => {
    const person = { operator: from.bare().toString(), role: 'operator', asAdministrator: true } as const;
    const { url, forMs } = await administrator.call(newConsoleLink, person);
    const label = `Works once, for ${Math.round(forMs / 60_000)} minutes`;
    return [{ var: 'url', type: 'text-single', label, values: [url] }];
  },
};

/** The ad-hoc commands for administrators (XEP-0133). None while nobody is an administrator. */
export function administrationCommands({
  administrators,
  access,
}: AdministrationCommandsDeps): () => readonly DomainCommand[] {
  const administratorOf = ({ session }: LocalIqEnds) =>
    session && administrators().includes(session.account.key) ? session.account.jid : undefined;
  const standard = [...commands, ...accountCommands, ...noticeCommands];
  const all = [
    ...forAdministrators(standard, { namespace: ns.admin, administratorOf, access }),
    ...forAdministrators(approvalCommands, { namespace: ns.userAdministration, administratorOf, access }),
    ...forAdministrators([consoleCommand], { namespace: ns.console, administratorOf, access }),
  ];
  return () => (administrators().length === 0 ? [] : all);
}

async function onlineAt(administrator: Administrator, { domain }: Jid): Promise<string[]> {
  const { sessions } = await administrator.call(listSessions, {});
  const found = sessions.filter(({ available }) => available).map(({ jid }) => jid.replace(/\/.*$/s, ''));
  return [...new Set(found)].filter((jid) => jid.endsWith(`@${domain}`));
}

async function suspendedAt(administrator: Administrator, { domain }: Jid): Promise<string[]> {
  const { suspensions } = await administrator.call(listSuspensions, {});
  return suspensions.map(({ jid }) => jid).filter((jid) => jid.endsWith(`@${domain}`));
}

function counted(name: string, number: number): readonly Field[] {
  return [{ var: name, type: 'text-single', values: [String(number)] }];
}

function listed(name: string, jids: readonly string[]): readonly Field[] {
  return [{ var: name, type: 'jid-multi', values: jids.slice(0, mostListed) }];
}
