import { Jid, JidError } from '../../protocol/jid.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import type { Session } from '../../routing/session.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { Storage } from '../../storage/storage.ts';
import { StorageError } from '../../storage/storage-error.ts';
import { deriveCredentials, PasswordError } from '../../streams/negotiation/sasl/credentials.ts';
import { type ImportStorage, importedAccount, storeImportStorage } from './imported-user.ts';
import { OperationError } from './operation-error.ts';
import type {
  ImportedUser,
  ImportReport,
  Operations,
  ServerStatus,
  SessionReport,
  StatusReport,
  UserPage,
} from './operations.ts';
import { sessionReport } from './session-report.ts';

/** What a running server adds to its data. */
export interface RunningParts {
  /** The accounts in memory, which must hear of every change. */
  readonly accounts: { forget(key: string): void };
  readonly directory: Pick<SessionDirectory, 'of' | 'find' | 'all' | 'size'>;
  status(): ServerStatus;
  /** Rejects with everything that is wrong if the new configuration cannot be used. */
  reload(): Promise<void>;
}

/** What administration works on. */
export interface AdministrationParts {
  readonly storage: ImportStorage & Pick<Storage, 'backup'>;
  /** The domains served; read at every use. */
  readonly domains: readonly string[];
  /** PBKDF2 iterations for new passwords; read at every use. */
  readonly iterations: number;
  /** Absent when the data is that of a stopped server. */
  readonly running?: RunningParts;
}

/** What an operator can do, with a running server or with the data of a stopped one. */
export class Administration implements Operations {
  readonly #parts: AdministrationParts;

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
  }

  async addUser(jid: string, password: string): Promise<string> {
    const account = this.#account(jid);
    await this.#parts.storage.accounts.create(account, await this.#credentials(password)).catch((error: unknown) => {
      throw hasCode(error, 'conflict') ? new OperationError('conflict', `${account} exists already.`) : error;
    });
    this.#parts.running?.accounts.forget(account);
    return account;
  }

  async setPassword(jid: string, password: string): Promise<void> {
    const account = this.#account(jid);
    const credentials = await this.#credentials(password);
    await this.#parts.storage.accounts.setCredentials(account, credentials).catch((error: unknown) => {
      throw hasCode(error, 'not-found') ? noAccount(account) : error;
    });
    this.#endSessions(account, StreamError.reset('The password was changed'));
  }

  async removeUser(jid: string): Promise<void> {
    const account = this.#account(jid);
    if (!(await this.#parts.storage.accounts.remove(account))) throw noAccount(account);
    this.#parts.running?.accounts.forget(account);
    this.#endSessions(account, StreamError.notAuthorized('The account was removed'));
  }

  async listUsers({ domain, after, limit }: UserPage): Promise<readonly string[]> {
    const prepared = domain === undefined ? undefined : this.#servedDomain(address(domain).toString());
    return this.#parts.storage.accounts.list({ domain: prepared, after, limit });
  }

  async importUsers(users: readonly ImportedUser[]): Promise<ImportReport> {
    const { storage, running } = this.#parts;
    const { first, repeated } = this.#byAccount(users);
    const accounts = Array.from(first, ([jid, user]) => importedAccount(user, jid));
    const { created, skipped } = await storage.accounts.createMany(accounts);
    for (const jid of skipped) first.delete(jid);
    for (const [jid, user] of first) {
      await storeImportStorage(storage, jid, user);
      running?.accounts.forget(jid);
    }
    return { created, skipped: [...skipped, ...repeated] };
  }

  backup(file: string): Promise<void> {
    return this.#parts.storage.backup(file);
  }

  async status(): Promise<StatusReport> {
    const { directory, status } = this.#running();
    const reported = status();
    return {
      ...reported,
      pid: process.pid,
      domains: this.#parts.domains,
      accounts: await this.#parts.storage.accounts.count(),
      sessions: directory.size,
      residentBytes: process.memoryUsage.rss(),
    };
  }

  async sessions(jid?: string): Promise<readonly SessionReport[]> {
    const { directory } = this.#running();
    const sessions = jid === undefined ? directory.all() : directory.of(this.#account(jid));
    return Array.from(sessions, sessionReport);
  }

  async kick(jid: string, reason?: string): Promise<readonly string[]> {
    const { directory } = this.#running();
    const target = address(jid);
    const found = target.isBare ? [...directory.of(target.toString())] : one(directory.find(target));
    if (found.length === 0) throw new OperationError('not-found', `${target} is not connected.`);
    for (const session of found) session.close(StreamError.policyViolation(reason));
    return found.map((session) => session.jid.toString());
  }

  async reload(): Promise<void> {
    const { reload } = this.#running();
    await reload().catch((error: unknown) => {
      throw new OperationError('configuration', error instanceof Error ? error.message : String(error));
    });
  }

  #running(): RunningParts {
    const { running } = this.#parts;
    if (running === undefined) throw new OperationError('not-running', 'The server is not running.');
    return running;
  }

  /** The key of an account on this server. */
  #account(text: string): string {
    const jid = address(text);
    if (jid.local === '' || !jid.isBare) {
      throw new OperationError('invalid', `${text} is not the address of an account, such as romeo@example.org.`);
    }
    this.#servedDomain(jid.domain);
    return jid.toString();
  }

  /** The users by the key of their account; the first of two with the same counts. */
  #byAccount(users: readonly ImportedUser[]): { first: Map<string, ImportedUser>; repeated: string[] } {
    const first = new Map<string, ImportedUser>();
    const repeated: string[] = [];
    for (const user of users) {
      const account = this.#account(user.jid);
      if (first.has(account)) repeated.push(account);
      else first.set(account, user);
    }
    return { first, repeated };
  }

  #servedDomain(domain: string): string {
    const { domains } = this.#parts;
    if (domains.includes(domain)) return domain;
    throw new OperationError('not-found', `${domain} is not served here; the domains are: ${domains.join(', ')}.`);
  }

  async #credentials(password: string) {
    try {
      return await deriveCredentials(password, this.#parts.iterations);
    } catch (error) {
      throw error instanceof PasswordError ? new OperationError('invalid', error.message) : error;
    }
  }

  #endSessions(account: string, error: StreamError): void {
    // A session leaves the directory while it ends.
    for (const session of [...(this.#parts.running?.directory.of(account) ?? [])]) session.close(error);
  }
}

function address(text: string): Jid {
  try {
    return Jid.parse(text);
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
    throw new OperationError('invalid', `${JSON.stringify(text)} is not an address: its ${error.message}.`);
  }
}

function one(session: Session | undefined): Session[] {
  return session === undefined ? [] : [session];
}

function noAccount(account: string): OperationError {
  return new OperationError('not-found', `There is no account ${account}.`);
}

function hasCode(error: unknown, code: StorageError['code']): boolean {
  return error instanceof StorageError && error.code === code;
}
