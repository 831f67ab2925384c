import type { Account } from './account.ts';

/** State that is read together with an account. */
export interface LoadedState {
  /** Begins to read the state of an account, by its key. Resolves with a function that attaches the state to the loaded account. */
  load(key: string): Promise<(account: Account) => void>;
}

/**
 * A place for state that an extension keeps with every account in memory, such as preferences. It is filled before anybody
 * gets the account, and is forgotten with it. The extension names its slots in `accountSlots`.
 *
 * An extension that changes the state first calls its store and then {@link set}: the store executes its calls in order, so an
 * account that is forgotten and read again has the new state.
 */
export class AccountSlot<State> implements LoadedState {
  readonly #read: (key: string) => Promise<State>;
  readonly #states = new WeakMap<Account, { readonly state: State }>();

  /** `read` reads the state of an account by its key, also if no such account exists. */
  constructor(read: (key: string) => Promise<State>) {
    this.#read = read;
  }

  /** The state of an account. Throws if the slot is in the list of no extension. */
  of(account: Account): State {
    const held = this.#states.get(account);
    if (!held) throw new Error('an account was loaded without this slot');
    return held.state;
  }

  set(account: Account, state: State): void {
    this.#states.set(account, { state });
  }

  async load(key: string): Promise<(account: Account) => void> {
    const state = await this.#read(key);
    return (account) => this.set(account, state);
  }
}
