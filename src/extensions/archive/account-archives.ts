import { ArchiveIds } from '../../archives/archive-ids.ts';
import type { Account } from '../../routing/account.ts';
import { AccountSlot, type LoadedState } from '../../routing/account-slot.ts';
import type { ArchiveStore } from '../../storage/archive.ts';
import type { SecretStore } from '../../storage/secrets.ts';
import { type Preferences, parsePreferences, preferencesText } from './preferences.ts';

/** The archive of an account in memory. */
export interface AccountArchive {
  readonly archive: number;
  readonly preferences: Preferences;
  readonly ids: ArchiveIds;
}

/** Reads the archives together with their accounts. */
export class AccountArchives {
  readonly #store: Pick<ArchiveStore, 'open' | 'setPreferences'>;
  readonly #secrets: SecretStore;
  readonly #slot = new AccountSlot((key) => this.#open(key));
  #ids: Promise<ArchiveIds> | undefined;

  constructor(store: Pick<ArchiveStore, 'open' | 'setPreferences'>, secrets: SecretStore) {
    this.#store = store;
    this.#secrets = secrets;
  }

  get slots(): readonly LoadedState[] {
    return [this.#slot];
  }

  of(account: Account): AccountArchive {
    const found = this.#slot.of(account);
    if (!found) throw new Error(`${account.key} has no archive`);
    return found;
  }

  /** Resolves when the preferences are durable; they hold from now on. */
  async setPreferences(account: Account, preferences: Preferences): Promise<void> {
    const before = this.of(account);
    const stored = this.#store.setPreferences(before.archive, preferencesText(preferences));
    this.#slot.set(account, { ...before, preferences });
    try {
      await stored;
    } catch (error) {
      if (this.of(account).preferences === preferences) this.#slot.set(account, before);
      throw error;
    }
  }

  /** Undefined for an address without an account. */
  async #open(key: string): Promise<AccountArchive | undefined> {
    this.#ids ??= this.#readKey();
    const [record, ids] = await Promise.all([this.#store.open(key), this.#ids]);
    return record && { archive: record.archive, preferences: parsePreferences(record.preferences), ids };
  }

  async #readKey(): Promise<ArchiveIds> {
    try {
      return new ArchiveIds(await this.#secrets.get('archive-ids'));
    } catch (error) {
      // The next account tries it again.
      this.#ids = undefined;
      throw error;
    }
  }
}
