import type { Jid } from '../protocol/jid.ts';
import type { AccountStore } from '../storage/accounts.ts';
import type { Clock } from '../support/clock.ts';
import { Account } from './account.ts';
import type { LoadedState } from './account-slot.ts';
import type { MaybePromise } from './maybe-promise.ts';

/** The number of accounts in memory above which accounts without a session are dropped. */
const cachedAccounts = 20_000;
/** How long the absence of an account is remembered, unless the account is created in this process. */
const absenceMs = 5000;

/** The accounts in memory; loads the others on demand. Also remembers for a short time that an account does not exist. */
export class Accounts {
  readonly #store: Pick<AccountStore, 'load'>;
  readonly #isInUse: (key: string) => boolean;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #capacity: number;
  /** Accounts, or for an account that does not exist the monotonic time at which its absence expires. */
  readonly #known = new Map<string, Account | number>();
  readonly #loading = new Map<string, Promise<Account | undefined>>();
  #sweepAtSize: number;
  #slots: readonly LoadedState[] = [];

  /** `isInUse` returns whether an account has a session and must stay in memory. */
  constructor(
    store: Pick<AccountStore, 'load'>,
    isInUse: (key: string) => boolean,
    clock: Pick<Clock, 'monotonicMs'>,
    capacity = cachedAccounts,
  ) {
    this.#store = store;
    this.#isInUse = isInUse;
    this.#clock = clock;
    this.#capacity = capacity;
    this.#sweepAtSize = capacity;
  }

  /** Sets the slots to load with every account from now on. */
  install(slots: readonly LoadedState[]): void {
    this.#slots = slots;
  }

  /** Adds slots. Resolves when all accounts in memory have them, too. */
  async attach(slots: readonly LoadedState[]): Promise<void> {
    if (slots.length === 0) return;
    this.#slots = [...this.#slots, ...slots];
    await Promise.allSettled(this.#loading.values());
    for (const [key, account] of [...this.#known]) {
      if (typeof account === 'number') continue;
      const attached = await Promise.all(slots.map((slot) => slot.load(key)));
      for (const to of attached) to(account);
    }
  }

  /** The account of a bare or full JID, not as a promise if it is in memory; undefined if it does not exist. */
  get(jid: Jid): MaybePromise<Account | undefined> {
    const key = jid.bare().toString();
    const known = this.#known.get(key);
    if (typeof known === 'object') return known;
    if (known !== undefined && this.#clock.monotonicMs() < known) return undefined;
    return this.#load(jid.bare(), key);
  }

  /** The account, if it is in memory. */
  peek(key: string): Account | undefined {
    const known = this.#known.get(key);
    return typeof known === 'object' ? known : undefined;
  }

  /** Drops the knowledge of an account that was created or removed, or that may differ from the store. */
  forget(key: string): void {
    this.#known.delete(key);
    this.#loading.delete(key);
  }

  #load(jid: Jid, key: string): Promise<Account | undefined> {
    const pending = this.#loading.get(key);
    if (pending) return pending;
    const finish = () => this.#loading.get(key) === loading && this.#loading.delete(key);
    const loading: Promise<Account | undefined> = this.#read(jid, key).then(
      (account) => {
        // It was forgotten while it was being read, so the record may be out of date.
        if (!finish()) return this.get(jid);
        this.#remember(key, account);
        return account;
      },
      (error: unknown) => {
        finish();
        throw error;
      },
    );
    // All callers get the same promise, so that they go on in the order in which they came.
    this.#loading.set(key, loading);
    return loading;
  }

  /** All reads start in the same turn, and so take one round trip to the storage thread. */
  async #read(jid: Jid, key: string): Promise<Account | undefined> {
    const reads = this.#slots.map((slot) => slot.load(key));
    const [record, ...attach] = await Promise.all([this.#store.load(key), ...reads]);
    const account = record && new Account(jid, record);
    if (account) for (const to of attach) to(account);
    return account;
  }

  #remember(key: string, account: Account | undefined): void {
    // Keeps the map in the order of loading, even if it had an entry for this key.
    this.#known.delete(key);
    this.#known.set(key, account ?? this.#clock.monotonicMs() + absenceMs);
    if (this.#known.size > this.#sweepAtSize) this.#sweep();
  }

  /** Forgets the older half, except accounts with a session. The newer half stays: its callers are about to use it. */
  #sweep(): void {
    const older = [...this.#known.keys()].slice(0, this.#known.size / 2);
    for (const key of older) if (!this.#isInUse(key)) this.#known.delete(key);
    this.#sweepAtSize = Math.max(this.#capacity, this.#known.size + this.#capacity / 2);
  }
}
