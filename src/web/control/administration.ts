import { PasswordError } from '../../c2s/negotiation/sasl/credentials.ts';
import { Pbkdf2Queue } from '../../c2s/negotiation/sasl/pbkdf2-queue.ts';
import { Registrar } from '../../c2s/registrar.ts';
import type { ComponentReport } from '../../components/component.ts';
import type { DomainPair } from '../../federation/domain-pairs.ts';
import type { LinkTestReport } from '../../federation/link-test.ts';
import type { PeerStreamReport } from '../../federation/peer-report.ts';
import type { Jid } from '../../protocol/jid.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import type { Account } from '../../routing/account.ts';
import type { Session } from '../../routing/session.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { Forward } from '../../storage/accounts.ts';
import type { Storage } from '../../storage/storage.ts';
import { StorageError } from '../../storage/storage-error.ts';
import { address } from './address.ts';
import { type ImportStorage, importedAccount, storeBelongings } from './imported-user.ts';
import type {
  ExplainReport,
  ExplainRequest,
  MessageOperations,
  SendReport,
  SendRequest,
} from './message-operations.ts';
import { OperationError } from './operation-error.ts';
import type {
  ForwardPage,
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
export interface RunningDeps {
  /** The accounts in memory, which must hear of every change. */
  readonly accounts: { forget(key: string): void; peek(key: string): Pick<Account, 'forwardTo'> | undefined };
  readonly directory: Pick<SessionDirectory, 'of' | 'find' | 'all' | 'size'>;
  readonly messages: MessageOperations;
  status(): ServerStatus;
  /** The streams between this server and others. */
  peers(): readonly PeerStreamReport[];
  components(): readonly ComponentReport[];
  /** Opens a stream to another server for a test; absent if there are to be none. */
  readonly testPeer?: ((pair: DomainPair) => Promise<LinkTestReport>) | undefined;
  /** Rejects with everything that is wrong if the new configuration cannot be used. */
  reload(): Promise<void>;
}

/** What administration works on. */
export interface AdministrationDeps {
  readonly storage: ImportStorage & Pick<Storage, 'backup' | 'disk'>;
  /** The domains served. */
  readonly domains: readonly string[];
  /** PBKDF2 iterations for new passwords. */
  readonly iterations: number;
  /** Makes, changes and removes accounts; the one of the running server also tells their contacts. */
  readonly registrar?: Pick<Registrar, 'create' | 'changePassword' | 'remove'>;
  /** Absent when the data is that of a stopped server. */
  readonly running?: RunningDeps;
}

/** What an operator can do, with a running server or with the data of a stopped one. */
export class Administration implements Operations {
  readonly #deps: AdministrationDeps;
  readonly #registrar: Pick<Registrar, 'create' | 'changePassword' | 'remove'>;

  constructor(deps: AdministrationDeps) {
    this.#deps = deps;
    this.#registrar = deps.registrar ?? silentRegistrar(deps);
  }

  async addUser(text: string, password: string): Promise<string> {
    const account = this.#account(text);
    await this.#registrar.create(account, password).catch((error: unknown) => {
      throw refusal(error, account);
    });
    return account.toString();
  }

  async setPassword(text: string, password: string): Promise<void> {
    const account = this.#account(text);
    await this.#registrar.changePassword(account, password).catch((error: unknown) => {
      throw refusal(error, account);
    });
  }

  async removeUser(text: string): Promise<void> {
    const account = this.#account(text);
    if (!(await this.#registrar.remove(account))) throw noAccount(account);
  }

  async listUsers({ domain, after, limit }: UserPage): Promise<readonly string[]> {
    const prepared = domain === undefined ? undefined : this.#servedDomain(address(domain).toString());
    return this.#deps.storage.accounts.list({ domain: prepared, after, limit });
  }

  async importUsers(users: readonly ImportedUser[]): Promise<ImportReport> {
    const { storage, running } = this.#deps;
    const { first, repeated } = this.#byAccount(users);
    const accounts = Array.from(first, ([jid, user]) => importedAccount(user, jid));
    const { created, skipped } = await storage.accounts.createMany(accounts);
    for (const jid of skipped) first.delete(jid);
    for (const [jid, user] of first) {
      await storeBelongings(storage, jid, user);
      running?.accounts.forget(jid);
    }
    return { created, skipped: [...skipped, ...repeated] };
  }

  backup(file: string): Promise<void> {
    return this.#deps.storage.backup(file);
  }

  async status(): Promise<StatusReport> {
    const { directory, status } = this.#running();
    const reported = status();
    return {
      ...reported,
      pid: process.pid,
      domains: this.#deps.domains,
      accounts: await this.#deps.storage.accounts.count(),
      sessions: directory.size,
      residentBytes: process.memoryUsage.rss(),
      disk: this.#deps.storage.disk,
    };
  }

  async sessions(jid?: string): Promise<readonly SessionReport[]> {
    const { directory } = this.#running();
    const sessions = jid === undefined ? directory.all() : directory.of(this.#account(jid).toString());
    return Array.from(sessions, sessionReport);
  }

  async components(): Promise<readonly ComponentReport[]> {
    return this.#running().components();
  }

  async testPeer(remote: string, local?: string): Promise<LinkTestReport> {
    const { domains } = this.#deps;
    const { testPeer } = this.#running();
    if (!testPeer) throw new OperationError('configuration', 'Other servers are not talked to (s2s.enabled).');
    const components = this.#running().components();
    const isComponent = (name: string) => components.some((one) => one.domain === name);
    const from = local === undefined ? (domains[0] ?? '') : domainOf(local);
    const pair = { local: isComponent(from) ? from : this.#servedDomain(from), remote: domainOf(remote) };
    if (domains.includes(pair.remote) || isComponent(pair.remote))
      throw new OperationError('invalid', `${pair.remote} is served here.`);
    return testPeer(pair);
  }

  async peers(): Promise<readonly PeerStreamReport[]> {
    return this.#running().peers();
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

  async setForward(text: string, target: string | undefined): Promise<void> {
    const account = this.#account(text);
    const forwardTo = target === undefined ? undefined : address(target);
    if (forwardTo?.bare().equals(account))
      throw new OperationError('invalid', `${account} cannot be forwarded to itself.`);
    const { storage, running } = this.#deps;
    await storage.accounts.setForward(account.toString(), forwardTo?.toString()).catch((error: unknown) => {
      throw refusal(error, account);
    });
    const known = running?.accounts.peek(account.toString());
    if (known) known.forwardTo = forwardTo;
    else running?.accounts.forget(account.toString());
  }

  forwards(page: ForwardPage): Promise<readonly Forward[]> {
    return this.#deps.storage.accounts.forwards(page);
  }

  async explainMessage(request: ExplainRequest): Promise<ExplainReport> {
    return this.#running().messages.explainMessage(request);
  }

  async sendMessage(request: SendRequest): Promise<SendReport> {
    return this.#running().messages.sendMessage(request);
  }

  #running(): RunningDeps {
    const { running } = this.#deps;
    if (running === undefined) throw new OperationError('not-running', 'The server is not running.');
    return running;
  }

  /** The address of an account on this server, whether it exists or not. */
  #account(text: string): Jid {
    const jid = address(text);
    if (jid.local === '' || !jid.isBare) {
      throw new OperationError('invalid', `${text} is not the address of an account, such as romeo@example.org.`);
    }
    this.#servedDomain(jid.domain);
    return jid;
  }

  /** The users by the key of their account; the first of two with the same counts. */
  #byAccount(users: readonly ImportedUser[]): { first: Map<string, ImportedUser>; repeated: string[] } {
    const first = new Map<string, ImportedUser>();
    const repeated: string[] = [];
    for (const user of users) {
      const account = this.#account(user.jid).toString();
      if (first.has(account)) repeated.push(account);
      else first.set(account, user);
    }
    return { first, repeated };
  }

  #servedDomain(domain: string): string {
    const { domains } = this.#deps;
    if (domains.includes(domain)) return domain;
    throw new OperationError('not-found', `${domain} is not served here; the domains are: ${domains.join(', ')}.`);
  }
}

/** Changes accounts without telling their contacts. */
function silentRegistrar({ storage, iterations, running }: AdministrationDeps): Registrar {
  return new Registrar({
    store: storage.accounts,
    account: () => undefined,
    cancelSubscriptions: () => Promise.resolve(),
    forget: (key) => running?.accounts.forget(key),
    sessions: running?.directory ?? { of: () => [] },
    pbkdf2: new Pbkdf2Queue(),
    iterations,
    removed: () => {},
  });
}

function domainOf(text: string): string {
  const { local, domain, isBare } = address(text);
  if (local !== '' || !isBare) throw new OperationError('invalid', `${text} is not a domain, such as example.org.`);
  return domain;
}

function one(session: Session | undefined): Session[] {
  return session === undefined ? [] : [session];
}

function noAccount(account: Jid): OperationError {
  return new OperationError('not-found', `There is no account ${account}.`);
}

/** What the operator is told when an account is not created or changed. */
function refusal(error: unknown, account: Jid): unknown {
  if (error instanceof PasswordError) return new OperationError('invalid', error.message);
  if (!(error instanceof StorageError)) return error;
  if (error.code === 'conflict') return new OperationError('conflict', `${account} exists already.`);
  return error.code === 'not-found' ? noAccount(account) : error;
}
