import { z } from 'zod';
import type { InvitationRefusal, MadeInvitation } from '../../c2s/invitations.ts';
import { Jid } from '../../protocol/jid.ts';
import { ifAddress } from '../../protocol/jid-or-nothing.ts';
import { operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import { StorageError } from '../../storage/storage-error.ts';
import { accountAddress, checkServed, type ServedDomains } from './served-domains.ts';

const text = z.string().min(1);
const hourMs = 3_600_000;
const longestMs = 365 * 24 * hourMs;
const lifetime = z.number().int().min(1000).max(longestMs).optional();
const largestPage = 1000;

/** Makes an invitation to create an account: with a user name that is given, or as a new contact of a user, or for several people. */
export const createInvitation = operation({
  method: 'POST',
  path: '/invitations',
  input: z.strictObject({
    domain: text.optional(),
    username: text.optional(),
    contact: text.optional(),
    uses: z.number().int().min(1).max(10_000).optional(),
    lifetimeMs: lifetime,
  }),
  subject: ({ domain, username, contact }) => contact ?? username ?? domain ?? 'the first domain',
  run: async (served: ServedDomains, { domain: named, username: name, contact, uses, lifetimeMs }) => {
    const account = contact === undefined ? undefined : accountAddress(served, contact);
    const domain = named ?? account?.domain ?? served.domains[0] ?? '';
    checkServed(served.domains, domain);
    const username = name === undefined ? undefined : usernameAt(domain, name);
    if (username !== undefined && (uses ?? 1) > 1)
      throw new OperationError('invalid', 'An invitation with a user name can be used only once.');
    const made = served.invitations.create({ kind: 'account', domain, account, username, uses, lifetimeMs });
    return unlessRefused(await made.catch(rejectFor(account)), `${username}@${domain}`);
  },
});

/** Lists the invitations and links that can still be used, a page at a time. Their tokens are not known. */
export const listInvitations = operation({
  method: 'GET',
  path: '/invitations',
  input: z.strictObject({
    after: z.coerce.number().int().min(0).default(0),
    limit: z.coerce.number().int().min(1).max(largestPage).default(largestPage),
  }),
  run: async ({ invitations }: ServedDomains, page) => ({ invitations: await invitations.list(page) }),
});

/** Revokes an invitation or a link. */
export const revokeInvitation = operation({
  method: 'DELETE',
  path: '/invitations',
  input: z.strictObject({ id: z.coerce.number().int().min(1) }),
  subject: ({ id }) => `invitation ${id}`,
  run: async ({ invitations }: ServedDomains, { id }) => {
    if (!(await invitations.revoke(id))) throw new OperationError('not-found', `There is no invitation ${id}.`);
  },
});

/** Makes a link with which a user sets a new password. */
export const createResetLink = operation({
  method: 'POST',
  path: '/users/reset-link',
  input: z.strictObject({ jid: text, lifetimeMs: lifetime }),
  run: async (served: ServedDomains, { jid, lifetimeMs }) => {
    const account = accountAddress(served, jid);
    const { domain } = account;
    const made = served.invitations.create({ kind: 'reset', domain, account, lifetimeMs });
    return unlessRefused(await made.catch(rejectFor(account)), jid);
  },
});

function usernameAt(domain: string, name: string): string {
  const address = ifAddress(() => Jid.from(name, domain));
  if (address) return address.local;
  throw new OperationError('invalid', `${JSON.stringify(name)} cannot be a user name.`);
}

function unlessRefused(made: MadeInvitation | InvitationRefusal, address: string): MadeInvitation {
  if (typeof made !== 'string') return made;
  if (made === 'off')
    throw new OperationError('invalid', 'Nobody can register with invitations: registration.invitations is "nobody".');
  throw new OperationError('conflict', `${address} exists already, or is reserved for an invitation.`);
}

function rejectFor(account: Jid | undefined): (error: unknown) => never {
  return (error) => {
    const isAbsent = error instanceof StorageError && error.code === 'not-found';
    throw isAbsent ? new OperationError('not-found', `There is no account ${account}.`) : error;
  };
}
