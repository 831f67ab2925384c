import { z } from 'zod';
import { Jid, JidError } from '../../protocol/jid.ts';
import { operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import { StorageError } from '../../storage/storage-error.ts';
import { systemClock } from '../../support/clock.ts';
import { accountAddress, type ServedDomains } from './served-domains.ts';

const text = z.string().min(1);
/** Long enough for an explanation, and short enough for a stream error. */
const reason = text.max(1000).optional();
const nothing = z.strictObject({});

/** Refuses all traffic with a domain, from now on and after restarts. Open streams are closed. */
export const blockDomain = operation({
  method: 'PUT',
  path: '/blocked-domains',
  subject: ({ domain }) => domain,
  input: z.strictObject({ domain: text, reason }),
  run: async (served: ServedDomains, { domain: pattern, reason: why }) => {
    const domain = domainPattern(pattern);
    if (served.domains.includes(domain)) throw new OperationError('invalid', `${domain} is served here.`);
    await served.storage.moderation.blockDomain({ domain, reason: why, atMs: systemClock.nowMs() });
    await served.blocksChanged();
    return { domain };
  },
});

/** Takes back `blockDomain`. Domains that the configuration denies stay blocked. */
export const unblockDomain = operation({
  method: 'DELETE',
  path: '/blocked-domains',
  subject: ({ domain }) => domain,
  input: z.strictObject({ domain: text }),
  run: async (served: ServedDomains, { domain: pattern }) => {
    const domain = domainPattern(pattern);
    if (!(await served.storage.moderation.unblockDomain(domain))) {
      throw new OperationError('not-found', `${domain} is not blocked by this command.`);
    }
    await served.blocksChanged();
    return { domain };
  },
});

/** Lists the domains blocked by `blockDomain`, and those that the configuration blocks. */
export const listBlockedDomains = operation({
  method: 'GET',
  path: '/blocked-domains',
  input: nothing,
  run: async ({ storage, denied }: ServedDomains) => ({
    domains: await storage.moderation.blockedDomains(),
    configuration: denied(),
  }),
});

/** Refuses logins to an account and ends its sessions. With `removeAfterMs`, removes the account then. */
export const suspendUser = operation({
  method: 'PUT',
  path: '/suspensions',
  input: z.strictObject({ jid: text, reason, removeAfterMs: z.int().min(0).optional() }),
  run: async (served: ServedDomains, { jid, reason: why, removeAfterMs }) => {
    const account = accountAddress(served, jid).toString();
    const atMs = systemClock.nowMs();
    const removeAtMs = removeAfterMs === undefined ? undefined : atMs + removeAfterMs;
    await served.suspensions.suspend({ jid: account, reason: why, atMs, removeAtMs }).catch((error: unknown) => {
      if (!(error instanceof StorageError) || error.code !== 'not-found') throw error;
      throw new OperationError('not-found', `There is no account ${account}.`);
    });
    return { removeAtMs };
  },
});

/** Lets the user of a suspended account log in again. A planned removal does not happen. */
export const resumeUser = operation({
  method: 'DELETE',
  path: '/suspensions',
  input: z.strictObject({ jid: text }),
  run: async (served: ServedDomains, { jid }) => {
    const account = accountAddress(served, jid).toString();
    if (!(await served.suspensions.resume(account))) {
      throw new OperationError('not-found', `${account} is not suspended.`);
    }
    return {};
  },
});

/** Lists the suspended accounts, without those that wait for approval. */
export const listSuspensions = operation({
  method: 'GET',
  path: '/suspensions',
  input: nothing,
  run: async ({ storage }: ServedDomains) => {
    const all = await storage.moderation.suspensions();
    return { suspensions: all.filter(({ awaitsApproval }) => !awaitsApproval) };
  },
});

/** Lists the accounts that wait for approval. */
export const listWaiting = operation({
  method: 'GET',
  path: '/approvals',
  input: nothing,
  run: async (served: ServedDomains) => ({ accounts: await waitingAccounts(served) }),
});

/** Approves an account: its user may log in. */
export const approveUser = operation({
  method: 'PUT',
  path: '/approvals',
  input: z.strictObject({ jid: text }),
  run: async (served: ServedDomains, { jid }) => {
    const account = await waitingAccount(served, jid);
    await served.suspensions.resume(account.toString());
  },
});

/** Removes an account that waits for approval. */
export const rejectUser = operation({
  method: 'DELETE',
  path: '/approvals',
  input: z.strictObject({ jid: text }),
  run: async (served: ServedDomains, { jid }) => {
    await served.registrar.remove(await waitingAccount(served, jid));
  },
});

async function waitingAccounts({ storage }: ServedDomains) {
  const all = await storage.moderation.suspensions();
  return all.filter(({ awaitsApproval }) => awaitsApproval);
}

async function waitingAccount(served: ServedDomains, jid: string): Promise<Jid> {
  const account = accountAddress(served, jid);
  const waiting = await waitingAccounts(served);
  if (waiting.some((one) => one.jid === account.toString())) return account;
  throw new OperationError('not-found', `${account} does not wait for approval.`);
}

/** A prepared domain, or `*.` and a prepared domain for all its subdomains. */
function domainPattern(pattern: string): string {
  const [wildcard, name] = pattern.startsWith('*.') ? ['*.', pattern.slice(2)] : ['', pattern];
  try {
    const { local, domain, isBare } = Jid.parse(name);
    if (local === '' && isBare) return wildcard + domain;
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
  }
  throw new OperationError(
    'invalid',
    `${JSON.stringify(pattern)} is not a domain, such as example.org or *.example.org.`,
  );
}
