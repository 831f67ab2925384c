import { type DataForm, ReceivedForm } from '../../protocol/data-form.ts';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { badPayload, type CommandStep, command } from '../../routing/command.ts';
import type { DomainCommand, LocalIqEnds } from '../../routing/extension.ts';
import { OperationError } from '../../routing/operation-error.ts';
import { listSuspensions, resumeUser, suspendUser } from '../control/moderation-operations.ts';
import { kick, listSessions } from '../control/session-operations.ts';
import { addUser, listUsers, removeUser, setPassword } from '../control/user-operations.ts';
import type { AdministrationAccess, Administrator } from './administration-access.ts';

/** Dependencies of the commands. */
interface AdministrationCommandsDeps {
  /** The accounts that may use them, as bare JIDs. */
  readonly administrators: readonly string[];
  readonly access: Pick<AdministrationAccess, 'for'>;
}

type Field = DataForm['fields'][number];

/** A command of XEP-0133: a form, and what is done with it. */
interface AdministrationCommand {
  /** The name in XEP-0133, the part of the node after `#`. */
  readonly name: string;
  readonly title: string;
  readonly fields: readonly Field[];
  /** Returns the fields of the result, or a text for the administrator. Throws OperationError. */
  readonly run: (
    administrator: Administrator,
    form: ReceivedForm,
    ends: LocalIqEnds,
  ) => Promise<readonly Field[] | string>;
}

const account: Field = { var: 'accountjid', type: 'jid-single', label: 'Address of the account', required: true };
const accounts: Field = { var: 'accountjids', type: 'jid-multi', label: 'Addresses of the accounts', required: true };
const password: Field = { var: 'password', type: 'text-private', label: 'Password', required: true };
const passwordAgain: Field = { var: 'password-verify', type: 'text-private', label: 'Password again', required: true };
const text: Field = { var: 'announcement', type: 'text-multi', label: 'Text', required: true };
const subject: Field = { var: 'subject', type: 'text-single', label: 'Subject' };

/** The most addresses in a list. */
const mostListed = 1000;
const largestPage = 10_000;

const commands: readonly AdministrationCommand[] = [
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
    run: (administrator, form) => forEach(form, 'was removed', (jid) => administrator.call(removeUser, { jid })),
  },
  {
    name: 'disable-user',
    title: 'Suspend users',
    fields: [accounts, { var: 'reason', type: 'text-single', label: 'Text for the users' }],
    run: (administrator, form) => {
      const reason = form.text('reason') || undefined;
      return forEach(form, 'is suspended', (jid) => administrator.call(suspendUser, { jid, reason }));
    },
  },
  {
    name: 'reenable-user',
    title: 'Resume suspended users',
    fields: [accounts],
    run: (administrator, form) => forEach(form, 'may log in again', (jid) => administrator.call(resumeUser, { jid })),
  },
  {
    name: 'end-user-session',
    title: 'End sessions of users',
    fields: [accounts],
    run: (administrator, form) => forEach(form, 'was disconnected', (jid) => administrator.call(kick, { jid })),
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
    fields: [{ ...text, var: 'motd' }],
    run: async (administrator, form, { to }) => {
      await administrator.ask('PUT /notices', { domain: to.domain, text: lines(form, 'motd') });
      return 'Users get it when they come online.';
    },
  },
  {
    name: 'delete-motd',
    title: 'Remove what users get when they come online',
    fields: [],
    run: async (administrator, _form, { to }) => {
      await administrator.ask('DELETE /notices', { domain: to.domain });
      return 'It was removed.';
    },
  },
];

/** The ad-hoc commands for administrators (XEP-0133). None if nobody is an administrator. */
export function administrationCommands({ administrators, access }: AdministrationCommandsDeps): DomainCommand[] {
  if (administrators.length === 0) return [];
  const known = new Set(administrators);
  const audience = {
    name: 'administrators',
    member: ({ session }: LocalIqEnds) => (session && known.has(session.account.key) ? session.account.jid : undefined),
  };
  return commands.map((one) =>
    command({
      node: `${ns.admin}#${one.name}`,
      name: one.title,
      audience,
      isStateless: true,
      start: (jid: Jid, ends: LocalIqEnds): CommandStep | Promise<CommandStep> => {
        const carryOut = (form: ReceivedForm) => result(one, access.for(jid), form, ends);
        if (one.fields.length === 0) return carryOut(new ReceivedForm('submit', new Map()));
        const form = { type: 'form', formType: ns.admin, title: one.title, fields: one.fields } as const;
        return { form, isLast: true, submit: carryOut };
      },
    }),
  );
}

/** Runs a command. A failure that the administrator can understand ends the command with a note. */
async function result(
  { title, run }: AdministrationCommand,
  administrator: Administrator,
  form: ReceivedForm,
  ends: LocalIqEnds,
): Promise<CommandStep> {
  try {
    const found = await run(administrator, form, ends);
    if (typeof found === 'string') return { note: { type: 'info', text: found } };
    return { form: { type: 'result', formType: ns.admin, title, fields: found } };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { note: { type: 'error', text: error.message } };
  }
}

/** The one value of a field that is needed. */
function one(form: ReceivedForm, name: string): string {
  const value = form.text(name)?.trim();
  if (!value) throw badPayload();
  return value;
}

/** The lines of a field as one text. */
function lines(form: ReceivedForm, name: string): string {
  const text = (form.fields.get(name) ?? []).join('\n').trim();
  if (text === '') throw badPayload();
  return text;
}

/** Does something for each address, and says what became of each. */
async function forEach(form: ReceivedForm, done: string, run: (jid: string) => Promise<unknown>): Promise<string> {
  const jids = (form.fields.get('accountjids') ?? []).map((jid) => jid.trim()).filter((jid) => jid !== '');
  if (jids.length === 0) throw badPayload();
  const said: string[] = [];
  for (const jid of jids) {
    try {
      await run(jid);
      said.push(`${jid} ${done}.`);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      said.push(error.message);
    }
  }
  return said.join('\n');
}

async function announced(administrator: Administrator, form: ReceivedForm, { domain }: Jid, to: 'online' | 'all') {
  const title = form.text('subject') || undefined;
  await administrator.ask('POST /announcements', { text: lines(form, 'announcement'), subject: title, to, domain });
  return 'It was announced.';
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
