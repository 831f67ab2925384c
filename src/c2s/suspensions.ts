import { Jid } from '../protocol/jid.ts';
import { SaslFailure } from '../protocol/sasl-failure.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { SessionDirectory } from '../routing/session-directory.ts';
import type { ModerationStore, Suspension } from '../storage/moderation.ts';
import type { Clock, Timer } from '../support/clock.ts';
import type { Log } from '../support/log.ts';

/** Dependencies of `Suspensions`. */
interface SuspensionsDeps {
  readonly store: Pick<ModerationStore, 'suspensions' | 'suspend' | 'resume'>;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  /** Removes an account with all its data. */
  readonly removeAccount: (account: Jid) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often the server looks for accounts that are to be removed. */
const lookEveryMs = 10 * 60_000;
const usualReason = 'the account is suspended';

/**
 * Accounts whose users may not log in. Messages to them are kept, and contacts notice nothing but the absence. An account can be suspended
 * until its removal, which the operator can take back until then.
 */
export class Suspensions {
  readonly #deps: SuspensionsDeps;
  readonly #byAccount = new Map<string, Suspension>();
  #timer: Timer | undefined;

  constructor(deps: SuspensionsDeps) {
    this.#deps = deps;
  }

  /** Reads the suspensions, before the first client connects. */
  async load(): Promise<void> {
    for (const one of await this.#deps.store.suspensions()) this.#byAccount.set(one.jid, one);
  }

  /** Begins to remove accounts whose time has come. */
  start(): void {
    this.#timer = this.#deps.clock.after(lookEveryMs, () => this.start());
    void this.#removeDue();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  get all(): readonly Suspension[] {
    return [...this.#byAccount.values()].sort((one, other) => (one.jid < other.jid ? -1 : 1));
  }

  /** The number of accounts that wait for approval. */
  get waiting(): number {
    return this.all.filter(({ awaitsApproval }) => awaitsApproval).length;
  }

  isSuspended(account: string): boolean {
    return this.#byAccount.has(account);
  }

  /** Throws SaslFailure with the operator's text if the account is suspended. Called only after the user has authenticated. */
  check(account: Jid): void {
    const found = this.#byAccount.get(account.toString());
    if (found) throw SaslFailure.accountDisabled(found.reason ?? usualReason);
  }

  /** Suspends an account and ends its sessions. Rejects with `not-found` if there is no such account. */
  async suspend(suspension: Suspension): Promise<void> {
    await this.#deps.store.suspend(suspension);
    this.begin(suspension);
    const error = StreamError.notAuthorized(suspension.reason ?? usualReason);
    // A copy, because ending a session removes it from the list.
    for (const session of [...this.#deps.sessions.of(suspension.jid)]) session.close(error);
  }

  /** Refuses logins to an account whose suspension is stored. */
  begin(suspension: Suspension): void {
    this.#byAccount.set(suspension.jid, suspension);
  }

  /** Lets the user log in again, and takes a planned removal back. False if the account was not suspended. */
  async resume(account: string): Promise<boolean> {
    const was = await this.#deps.store.resume(account);
    this.#byAccount.delete(account);
    return was;
  }

  /** An account was removed: another one of the same name is not suspended. */
  forget(account: Jid): void {
    this.#byAccount.delete(account.toString());
  }

  async #removeDue(): Promise<void> {
    const { clock, removeAccount, log } = this.#deps;
    for (const { jid, removeAtMs = Number.POSITIVE_INFINITY } of this.all) {
      if (removeAtMs > clock.nowMs()) continue;
      try {
        await removeAccount(Jid.parse(jid));
        log.info({ jid }, 'a suspended account was removed as planned');
      } catch (error) {
        log.error({ err: error, jid }, 'a suspended account could not be removed');
      }
    }
  }
}
