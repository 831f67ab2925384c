import type { Account } from './account.ts';

/** State that is loaded together with an account. */
export interface LoadedState {
  /** Reads the state of the account with this key. Resolves with a function that attaches the state to the loaded account. */
  load(key: string): Promise<(account: Account) => void>;
}

/**
 * A place for state that an extension keeps with every account in memory, such as preferences. The state is loaded before other code
 * gets the account, and is dropped with it. The extension lists its slots in `accountSlots`.
 *
 * To change the state, call the store first and then {@link set}. The store executes its calls in order, so an account that is dropped
 * and loaded again has the new state.
 */
export class AccountSlot<State> implements LoadedState {
  readonly #read: (key: string) => Promise<State>;
  readonly #states = new WeakMap<Account, { readonly state: State }>();

  /** `read` reads the state of an account by its key, also if no such account exists. */
  constructor(read: (key: string) => Promise<State>) {
    this.#read = read;
  }

  /** The state of an account. Throws an Error if no extension lists the slot. */
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
