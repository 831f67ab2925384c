import type { Devices } from '../../c2s/devices.ts';
import type { Invitations } from '../../c2s/invitations.ts';
import type { Registrar } from '../../c2s/registrar.ts';
import type { Suspensions } from '../../c2s/suspensions.ts';
import type { Jid } from '../../protocol/jid.ts';
import type { Account } from '../../routing/account.ts';
import { operatorAddress } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { Storage } from '../../storage/storage.ts';

/** The stores that operations use. */
export type OperatedStorage = Pick<
  Storage,
  | 'accounts'
  | 'rosters'
  | 'privateXml'
  | 'vcards'
  | 'blocklists'
  | 'offline'
  | 'pep'
  | 'archive'
  | 'secrets'
  | 'reports'
  | 'devices'
  | 'administrations'
  | 'moderation'
  | 'invitations'
  | 'rooms'
  | 'backup'
>;

/** The domains of a server, running or stopped, with their accounts and data. */
export interface ServedDomains {
  readonly storage: OperatedStorage;
  /** The domains served. */
  readonly domains: readonly string[];
  readonly registrar: Pick<Registrar, 'create' | 'changePassword' | 'remove'>;
  readonly invitations: Pick<Invitations, 'create' | 'list' | 'revoke'>;
  readonly devices: Pick<Devices, 'list' | 'revoke'>;
  readonly suspensions: Pick<Suspensions, 'suspend' | 'resume'>;
  /** The domains that the configuration blocks. */
  readonly denied: () => readonly string[];
  /** The list of blocked domains in the store has changed. */
  readonly blocksChanged: () => Promise<void>;
  /** The ids of exports that were begun and recorded: their accounts and rooms are not recorded one by one. */
  readonly exports: Set<string>;
  /** The connected clients. None of a stopped server. */
  readonly sessions: Pick<SessionDirectory, 'of'>;
  /** The accounts in memory, which must follow every change. Empty for a stopped server. */
  readonly accounts: LoadedAccounts;
}

/** Accounts in memory. */
interface LoadedAccounts {
  forget(key: string): void;
  peek(key: string): Pick<Account, 'forwardTo' | 'lastSeen'> | undefined;
}

/** Parses the address of an account on this server. The account need not exist. */
export function accountAddress({ domains }: Pick<ServedDomains, 'domains'>, text: string): Jid {
  const jid = operatorAddress(text);
  if (jid.local === '' || !jid.isBare) {
    throw new OperationError('invalid', `${text} is not the address of an account, such as romeo@example.org.`);
  }
  checkServed(domains, jid.domain);
  return jid;
}

/** Parses a domain from the operator. */
export function domainAddress(text: string): string {
  const { local, domain, isBare } = operatorAddress(text);
  if (local !== '' || !isBare) throw new OperationError('invalid', `${text} is not a domain, such as example.org.`);
  return domain;
}

/** Throws `not-found` if a domain is not one of the domains served. */
export function checkServed(domains: readonly string[], domain: string): void {
  if (domains.includes(domain)) return;
  const known = domains.join(', ');
  throw new OperationError('not-found', `${domain} is not served here; the domains are: ${known}.`);
}
