import type { OfflineUsage } from './offline.ts';
import type { RosterItem } from './rosters.ts';

/** The hash functions for which SCRAM keys are kept. */
export type ScramHash = 'SHA-1' | 'SHA-256' | 'SHA-512';

/** What a server keeps of a password for SCRAM (RFC 5802 §3): it can verify with it, but not log in. */
export interface ScramKeys {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** The ways in which one account's password can be verified. */
export interface Credentials {
  readonly scram: Readonly<Partial<Record<ScramHash, ScramKeys>>>;
  readonly bcrypt?: string | undefined;
}

/** One account to be created: its prepared bare JID and its credentials. */
export interface NewAccount {
  readonly jid: string;
  readonly credentials: Credentials;
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
  /** How much is kept for its user. */
  readonly stored?: OfflineUsage | undefined;
  /** The address that messages are forwarded to. */
  readonly forwardTo?: string | undefined;
}

/** An account whose messages go elsewhere. */
export interface Forward {
  readonly jid: string;
  readonly target: string;
}

/** Which accounts to list: those of one domain if given, after one JID if given, in the byte order of their JIDs. */
interface AccountPage {
  readonly domain?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** The accounts of this server. */
export interface AccountStore {
  /** Rejects with `conflict` if the account exists. */
  create(jid: string, credentials: Credentials): Promise<void>;
  /** Creates all that do not exist, in one transaction. */
  createMany(accounts: readonly NewAccount[]): Promise<{ created: number; skipped: string[] }>;
  /** The credentials of an account, or undefined if there is no such account. */
  credentials(jid: string): Promise<Credentials | undefined>;
  /** Another number than before whenever credentials that were read before may be untrue. */
  credentialsVersion(): number;
  /** Replaces all credentials of an account, whose password is the same. */
  setCredentials(jid: string, credentials: Credentials): Promise<void>;
  /** The password is another one: in the same transaction all resumable sessions end, but the one with the key `keep`. */
  changePassword(jid: string, credentials: Credentials, keep?: string): Promise<void>;
  /** Removes the account and every row it owns, in one transaction; false if there was none. */
  remove(jid: string): Promise<boolean>;
  list(page: AccountPage): Promise<string[]>;
  count(domain?: string): Promise<number>;
  /** What the router needs to know about an account, or undefined if there is no such account. */
  load(jid: string): Promise<AccountRecord | undefined>;
  setLastSeen(jid: string, atMs: number, status: string): Promise<void>;
  /** Has messages forwarded to an address, or no longer. */
  setForward(jid: string, target: string | undefined): Promise<void>;
  /** The accounts that have their messages forwarded, those after one JID if given, in the byte order of their JIDs. */
  forwards(page: { readonly after?: string | undefined; readonly limit: number }): Promise<Forward[]>;
}
