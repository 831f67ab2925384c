import type { Suspension } from './moderation.ts';
import type { OfflineUsages } from './offline.ts';
import type { RosterItem } from './rosters.ts';

/** The hash functions of stored SCRAM keys. */
export type ScramHash = 'SHA-1' | 'SHA-256' | 'SHA-512';

/** The stored form of a password for SCRAM (RFC 5802 §3): enough to verify it, but not to log in with it. */
export interface ScramKeys {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** The stored forms of an account's password. */
export interface Credentials {
  readonly scram: Readonly<Partial<Record<ScramHash, ScramKeys>>>;
  readonly bcrypt?: string | undefined;
}

/** The credentials of an existing account. */
export interface AccountCredentials extends Credentials {
  /** Another number after each change of the password, and for each account that has had the address. */
  readonly passwordVersion: number;
}

/** A registration by the user, who chooses the address. One that an invitation reserves is for the holder of its token. */
export interface Registration {
  /** The hash of the token of an invitation, which is used once. */
  readonly invitation?: Buffer | undefined;
  /** The account waits for the approval of the operator. */
  readonly approval?: Omit<Suspension, 'jid' | 'awaitsApproval'> | undefined;
}

/** How a password is changed. The session that has asked for it goes on, and its device knows the new password. */
export interface PasswordChange {
  /** The key of the session, if it is resumable. */
  readonly session?: string | undefined;
  /** The key of its device, if it has named one. */
  readonly device?: string | undefined;
  /** The hash of the token of a link that sets the password. The change is rejected with `not-found` if nothing is left of it. */
  readonly resetToken?: Buffer | undefined;
}

/** One account to be created: its prepared bare JID and its credentials. */
export interface NewAccount {
  readonly jid: string;
  readonly credentials: Credentials;
  /** The archive that was filled for it (`ArchiveStore.prepareImport`). */
  readonly archive?: number | undefined;
}

/** When an account's last session ended, and the status it left behind (RFC 6121 §4.5, XEP-0012 §3). */
export interface LastSeen {
  readonly atMs: number;
  readonly status: string;
}

/** Everything the router keeps in memory about one account. */
export interface AccountRecord {
  readonly roster: RosterItem[];
  readonly rosterVersion: number;
  readonly blocked: string[];
  readonly lastSeen?: LastSeen | undefined;
  /** The stored messages of the account. */
  readonly stored?: OfflineUsages | undefined;
  /** The address that messages are forwarded to. */
  readonly forwardTo?: string | undefined;
  /** When its user has registered it, in milliseconds since 1970; absent if the operator has made or imported it. */
  readonly registeredAtMs?: number | undefined;
}

/** An account whose messages are forwarded. */
export interface Forward {
  readonly jid: string;
  readonly target: string;
}

/** Which accounts to list, in the byte order of their JIDs: optionally only of one domain, or only those after one JID. */
interface AccountPage {
  readonly domain?: string | undefined;
  /** Only accounts whose JID contains this text. Looks at every account. */
  readonly containing?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** The accounts of this server. */
export interface AccountStore {
  /**
   * Rejects with `conflict` if the account exists or, in a registration, if an invitation reserves the address, or if it has belonged to an
   * account that was removed in the last year and the invitation does not name it; with `not-found` if nothing is left of the invitation.
   */
  create(jid: string, credentials: Credentials, registration?: Registration): Promise<void>;
  /** Creates all that do not exist, in one transaction. */
  createMany(accounts: readonly NewAccount[]): Promise<{ created: number; skipped: string[] }>;
  /** The credentials of an account, or undefined if there is no such account. */
  credentials(jid: string): Promise<AccountCredentials | undefined>;
  /** A number that changes whenever credentials may have changed. */
  credentialsVersion(): number;
  /** Replaces all credentials of an account without a change of password. */
  setCredentials(jid: string, credentials: Credentials): Promise<void>;
  /** Adds the keys of one hash, unless the account has some or its password has changed since `passwordVersion`. */
  addKeys(jid: string, passwordVersion: number, hash: ScramHash, keys: ScramKeys): Promise<void>;
  /**
   * Changes the password. In the same transaction end all resumable sessions except the kept one, all tokens of devices, and all links that
   * set the password.
   */
  changePassword(jid: string, credentials: Credentials, change?: PasswordChange): Promise<void>;
  /** Removes the account and every row it owns, in one transaction, and reserves its address. False if the account did not exist. */
  remove(jid: string): Promise<boolean>;
  list(page: AccountPage): Promise<string[]>;
  count(domain?: string): Promise<number>;
  /** What the router needs to know about an account, or undefined if there is no such account. */
  load(jid: string): Promise<AccountRecord | undefined>;
  setLastSeen(jid: string, atMs: number, status: string): Promise<void>;
  /** Sets the address that messages are forwarded to. Undefined ends forwarding. */
  setForward(jid: string, target: string | undefined): Promise<void>;
  /** The accounts whose messages are forwarded, in the byte order of their JIDs: optionally only those after one JID. */
  forwards(page: { readonly after?: string | undefined; readonly limit: number }): Promise<Forward[]>;
}
