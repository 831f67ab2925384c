import { z } from 'zod';
import { PasswordError } from '../../c2s/negotiation/sasl/credentials.ts';
import { formatDateTime } from '../../protocol/date-time.ts';
import type { Jid } from '../../protocol/jid.ts';
import { operation, operatorAddress } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { AccountRecord } from '../../storage/accounts.ts';
import { StorageError } from '../../storage/storage-error.ts';
import { accountAddress, checkServed, type ServedDomains } from './served-domains.ts';

/** Maximum number of accounts in one answer. */
const largestPage = 10_000;

const jid = z.string().min(1);
const account = z.strictObject({ jid });
const withPassword = z.strictObject({ jid, password: z.string() });
const forwardPage = z.strictObject({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(largestPage).default(largestPage),
});
const userPage = forwardPage.extend({ domain: z.string().min(1).optional(), containing: z.string().min(1).optional() });

/** Creates an account. Returns its prepared address. */
export const addUser = operation({
  method: 'POST',
  path: '/users',
  input: withPassword,
  run: async (served: ServedDomains, { jid: text, password }) => {
    const address = accountAddress(served, text);
    await served.registrar.create(address, password).catch(rejectFor(address));
    return { jid: address.toString() };
  },
});

/** Changes a password and ends the sessions of the account. */
export const setPassword = operation({
  method: 'PUT',
  path: '/users/password',
  input: withPassword,
  run: async (served: ServedDomains, { jid: text, password }) => {
    const address = accountAddress(served, text);
    await served.registrar.changePassword(address, password).catch(rejectFor(address));
  },
});

/** Removes an account with all its data and ends its sessions. */
export const removeUser = operation({
  method: 'DELETE',
  path: '/users',
  input: account,
  run: async (served: ServedDomains, { jid: text }) => {
    const address = accountAddress(served, text);
    if (!(await served.registrar.remove(address))) throw noAccount(address);
  },
});

/** Lists accounts, a page at a time: all, those of a domain, or those whose address contains a text. */
export const listUsers = operation({
  method: 'GET',
  path: '/users',
  input: userPage,
  run: async ({ storage, domains }: ServedDomains, { domain: text, containing, after, limit }) => {
    const domain = text === undefined ? undefined : operatorAddress(text).toString();
    if (domain !== undefined) checkServed(domains, domain);
    return { users: await storage.accounts.list({ domain, containing: containing?.toLowerCase(), after, limit }) };
  },
});

/** Shows an account: when it was last online, and how much it has. */
export const showUser = operation({
  method: 'GET',
  path: '/users/show',
  input: account,
  run: async (served: ServedDomains, { jid: text }) => {
    const address = accountAddress(served, text);
    const { roster, blocked, stored, forwardTo, registeredAtMs, ...stale } = await recordOf(served, address);
    // The store learns of the end of sessions a little later than the account in memory.
    const lastSeen = served.accounts.peek(address.toString())?.lastSeen ?? stale.lastSeen;
    const suspensions = await served.storage.moderation.suspensions();
    return {
      jid: address.toString(),
      contacts: roster.filter(({ inRoster }) => inRoster).length,
      blocked: blocked.length,
      offlineMessages: stored === undefined ? 0 : stored.unarchived.messages + stored.archived.messages,
      forwardTo,
      registeredAt: registeredAtMs === undefined ? undefined : formatDateTime(registeredAtMs),
      online: served.sessions.of(address.toString()).length > 0,
      lastOnline: lastSeen && formatDateTime(lastSeen.atMs),
      suspension: suspensions.find((one) => one.jid === address.toString()),
    };
  },
});

/** Lists the contacts of an account. */
export const userRoster = operation({
  method: 'GET',
  path: '/users/roster',
  recorded: true,
  input: account,
  run: async (served: ServedDomains, { jid: text }) => {
    const { roster } = await recordOf(served, accountAddress(served, text));
    const contacts = roster.filter(({ inRoster }) => inRoster);
    return {
      contacts: contacts.map(({ contact, name, groups, subscription }) => ({ contact, name, groups, subscription })),
    };
  },
});

async function recordOf({ storage }: ServedDomains, address: Jid): Promise<AccountRecord> {
  const record = await storage.accounts.load(address.toString());
  if (!record) throw noAccount(address);
  return record;
}

/** Forwards the messages of an account to another address. */
export const setForward = operation({
  method: 'PUT',
  path: '/forwards',
  input: z.strictObject({ jid, target: jid }),
  run: (served: ServedDomains, { jid: text, target }) =>
    forward(served, accountAddress(served, text), operatorAddress(target)),
});

/** Stops forwarding the messages of an account. */
export const removeForward = operation({
  method: 'DELETE',
  path: '/forwards',
  input: account,
  run: (served: ServedDomains, { jid: text }) => forward(served, accountAddress(served, text), undefined),
});

/** Lists the accounts whose messages are forwarded, a page at a time. */
export const listForwards = operation({
  method: 'GET',
  path: '/forwards',
  input: forwardPage,
  run: async ({ storage }: ServedDomains, page) => ({ forwards: await storage.accounts.forwards(page) }),
});

async function forward({ storage, accounts }: ServedDomains, account: Jid, target: Jid | undefined): Promise<void> {
  if (target?.bare().equals(account)) {
    throw new OperationError('invalid', `${account} cannot be forwarded to itself.`);
  }
  await storage.accounts.setForward(account.toString(), target?.toString()).catch(rejectFor(account));
  const loaded = accounts.peek(account.toString());
  if (loaded) loaded.forwardTo = target;
  else accounts.forget(account.toString());
}

function noAccount(account: Jid): OperationError {
  return new OperationError('not-found', `There is no account ${account}.`);
}

/** Maps errors of creating or changing an account to errors for the operator. */
function rejectFor(account: Jid): (error: unknown) => never {
  return (error) => {
    if (error instanceof PasswordError) throw new OperationError('invalid', error.message);
    if (!(error instanceof StorageError)) throw error;
    if (error.code === 'conflict') throw new OperationError('conflict', `${account} already exists.`);
    throw error.code === 'not-found' ? noAccount(account) : error;
  };
}
