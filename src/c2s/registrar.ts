import type { Jid } from '../protocol/jid.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Account } from '../routing/account.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Session } from '../routing/session.ts';
import type { SessionDirectory } from '../routing/session-directory.ts';
import type { AccountStore, Registration } from '../storage/accounts.ts';
import { ClientSession } from './client-session.ts';
import { deriveCredentials } from './negotiation/sasl/credentials.ts';
import type { Pbkdf2Queue } from './negotiation/sasl/pbkdf2-queue.ts';

/** The accounts whose last change is remembered: streams that began to authenticate before it are not bound. */
const rememberedChanges = 10_000;

/** Dependencies of {@link Registrar}. */
interface RegistrarDeps {
  readonly store: Pick<AccountStore, 'create' | 'changePassword' | 'remove'>;
  readonly account: (jid: Jid) => MaybePromise<Account | undefined>;
  /** Tells the contacts that the account is leaving (XEP-0077 §3.2). */
  readonly cancelSubscriptions: (account: Account) => Promise<void>;
  /** Removes an account from the cache. */
  readonly forget: (account: string) => void;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly pbkdf2: Pbkdf2Queue;
  readonly iterations: number;
  /** Called after an account was removed. */
  readonly removed: (account: Jid) => void;
}

/**
 * Creates, changes and removes accounts while the server runs, and ends the sessions of changed and removed accounts.
 * Rejects with `StorageError` (`conflict`, `not-found`), `PasswordError` or `Pbkdf2QueueFull`.
 */
export class Registrar {
  readonly #deps: RegistrarDeps;
  #changes = 0;
  /** For each account the number of its last change. */
  readonly #lastChange = new Map<string, number>();

  constructor(deps: RegistrarDeps) {
    this.#deps = deps;
  }

  /** How many changes of passwords and removals of accounts there have been. */
  get changes(): number {
    return this.#changes;
  }

  /** Whether the password was changed, or the account removed, after so many changes. */
  hasChangedSince(account: Jid, changes: number): boolean {
    return (this.#lastChange.get(account.toString()) ?? 0) > changes;
  }

  /** Creates an account. `registration`: at the wish of its user, who has chosen the address. */
  async create(account: Jid, password: string, registration?: Registration): Promise<void> {
    await this.#deps.store.create(account.toString(), await this.#credentials(password), registration);
    this.#deps.forget(account.toString());
  }

  /** Changes a password, and ends every session except the one that requested it. */
  async changePassword(account: Jid, password: string, keep?: Session): Promise<void> {
    const session = keep instanceof ClientSession ? keep.management?.resumability?.key : undefined;
    const kept = { session, device: keep?.device?.key };
    await this.#deps.store.changePassword(account.toString(), await this.#credentials(password), kept);
    this.#endSessions(account, StreamError.reset('the password was changed'), keep);
  }

  /** Sets a password with the token of a link, given as its hash, and ends every session. Rejects with `not-found` if it is used up. */
  async resetPassword(account: Jid, password: string, resetToken: Buffer): Promise<void> {
    await this.#deps.store.changePassword(account.toString(), await this.#credentials(password), { resetToken });
    this.#endSessions(account, StreamError.reset('the password was changed'));
  }

  /** Removes an account with all its data, then calls `removed` and ends its sessions. False if the account does not exist. */
  async remove(account: Jid, removed?: () => void): Promise<boolean> {
    const known = await this.#deps.account(account);
    if (known) await this.#deps.cancelSubscriptions(known);
    if (!(await this.#deps.store.remove(account.toString()))) return false;
    this.#deps.forget(account.toString());
    removed?.();
    this.#endSessions(account, StreamError.notAuthorized('the account was removed'));
    this.#deps.removed(account);
    return true;
  }

  #credentials(password: string) {
    return this.#deps.pbkdf2.run(() => deriveCredentials(password, this.#deps.iterations));
  }

  #endSessions(account: Jid, error: StreamError, keep?: Session): void {
    this.#noteChange(account.toString());
    // Iterates over a copy, because ending a session removes it from the list.
    for (const session of [...this.#deps.sessions.of(account.toString())]) if (session !== keep) session.close(error);
  }

  #noteChange(account: string): void {
    const [oldest] = this.#lastChange.keys();
    if (oldest !== undefined && this.#lastChange.size >= rememberedChanges) this.#lastChange.delete(oldest);
    this.#lastChange.delete(account);
    this.#lastChange.set(account, ++this.#changes);
  }
}
