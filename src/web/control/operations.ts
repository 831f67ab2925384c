import type { ComponentReport } from '../../components/component.ts';
import type { AmpReport } from '../../extensions/amp/amp-counters.ts';
import type { LinkTestReport } from '../../federation/link-test.ts';
import type { PeerStreamReport } from '../../federation/peer-report.ts';
import type { Forward, ScramHash } from '../../storage/accounts.ts';
import type { Subscription } from '../../storage/rosters.ts';
import type { DiskState } from '../../storage/storage.ts';
import type { MessageOperations } from './message-operations.ts';

/** An address the server listens on. */
export interface ListenedAddress {
  readonly address: string;
  readonly port: number;
}

/** What a running server says about itself. */
export interface ServerStatus {
  readonly version: string;
  readonly startedAtMs: number;
  readonly addresses: {
    readonly c2s: readonly ListenedAddress[];
    readonly c2sTls: readonly ListenedAddress[];
    readonly components: readonly ListenedAddress[];
  };
  /** Connections of clients, authenticated or not. */
  readonly connections: number;
  /** What Advanced Message Processing has done since the start. */
  readonly amp?: AmpReport | undefined;
}

/** The state of a running server as it is shown to the operator. */
export interface StatusReport extends ServerStatus {
  readonly pid: number;
  readonly domains: readonly string[];
  readonly accounts: number;
  readonly sessions: number;
  readonly residentBytes: number;
  /** The disk under the data. */
  readonly disk: DiskState;
}

/** Which accounts to list, a page at a time. */
export interface UserPage {
  readonly domain?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Which accounts with a forward to list, a page at a time. */
export type ForwardPage = Pick<UserPage, 'after' | 'limit'>;

/** One connected resource as it is shown to the operator. */
export interface SessionReport {
  readonly jid: string;
  readonly available: boolean;
  readonly priority: number;
  readonly boundAtMs?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly secure?: boolean | undefined;
}

/** SCRAM keys in base64 (XEP-0227 §4.3). */
export interface PortableScramKeys {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

/** A contact of an account that comes from elsewhere. */
export interface ImportedContact {
  readonly contact: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly subscription: Subscription;
  readonly ask: boolean;
  readonly approved: boolean;
  readonly inRoster: boolean;
  /** The subscribe stanza that waits for the user's answer. */
  readonly pendingIn?: string | undefined;
}

/** A message that was kept for an absent user. */
export interface ImportedMessage {
  readonly from: string;
  readonly receivedAtMs: number;
  readonly xml: string;
}

/** An account that comes from elsewhere, in a form that JSON can carry. */
export interface ImportedUser {
  readonly jid: string;
  readonly scram?: Readonly<Partial<Record<ScramHash, PortableScramKeys>>> | undefined;
  readonly bcrypt?: string | undefined;
  readonly contacts?: readonly ImportedContact[] | undefined;
  readonly privateXml?: readonly { readonly name: string; readonly ns: string; readonly xml: string }[] | undefined;
  readonly vcard?: string | undefined;
  readonly blocked?: readonly string[] | undefined;
  /** Messages that wait for the user, the oldest first. */
  readonly messages?: readonly ImportedMessage[] | undefined;
}

/** What became of a batch of accounts: how many are new, and which were there before and left alone. */
export interface ImportReport {
  readonly created: number;
  readonly skipped: readonly string[];
}

/**
 * What an operator can ask for, of a running server through its control socket or of a stopped one's data. Addresses come as people
 * write them. Every rejection is an `OperationError` or a `StorageError`.
 */
export interface Operations extends MessageOperations {
  /** Creates an account and gives its prepared address. */
  addUser(jid: string, password: string): Promise<string>;
  /** Changes a password and ends the account's sessions. */
  setPassword(jid: string, password: string): Promise<void>;
  /** Removes an account with everything it owns and ends its sessions. */
  removeUser(jid: string): Promise<void>;
  listUsers(page: UserPage): Promise<readonly string[]>;
  /** Creates those of the accounts that do not exist. */
  importUsers(users: readonly ImportedUser[]): Promise<ImportReport>;
  /** Writes a copy of the database to a new file on the server's machine. */
  backup(file: string): Promise<void>;
  status(): Promise<StatusReport>;
  /** The sessions of one account, or all. */
  sessions(jid?: string): Promise<readonly SessionReport[]>;
  /** Goes the way to the server of another domain, from a domain of ours, and says how far it gets. */
  testPeer(remote: string, local?: string): Promise<LinkTestReport>;
  /** The streams between this server and others. */
  peers(): Promise<readonly PeerStreamReport[]>;
  /** How the components are doing. */
  components(): Promise<readonly ComponentReport[]>;
  /** Ends one session, or all of an account, and gives their addresses. */
  kick(jid: string, reason?: string): Promise<readonly string[]>;
  reload(): Promise<void>;
  /** Has the messages of an account go elsewhere, or no longer. */
  setForward(jid: string, target: string | undefined): Promise<void>;
  /** The accounts whose messages go elsewhere, a page at a time. */
  forwards(page: ForwardPage): Promise<readonly Forward[]>;
}
