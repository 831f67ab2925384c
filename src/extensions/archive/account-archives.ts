import { type ArchiveIds, archiveIdsOf } from '../../archives/archive-ids.ts';
import type { ReadId } from '../../archives/query.ts';
import type { Jid } from '../../protocol/jid.ts';
import type { Account } from '../../routing/account.ts';
import { AccountSlot, type LoadedState } from '../../routing/account-slot.ts';
import type { ArchivedId, ArchiveStore } from '../../storage/archive.ts';
import type { SecretStore } from '../../storage/secrets.ts';
import { type Preferences, parsePreferences, preferencesText } from './preferences.ts';

type AccountArchiveStore = Pick<ArchiveStore, 'open' | 'setPreferences' | 'setRead' | 'idsOfImported'>;

/** The archive of an account in memory. */
export interface AccountArchive {
  readonly archive: number;
  readonly preferences: Preferences;
  /** Whether a client of the account has read it. */
  readonly wasRead: boolean;
  readonly ids: ArchiveIds;
  /** Whether some of its messages were imported with ids that `ids` cannot read. */
  readonly hasImportedIds: boolean;
}

/** An account that a message is archived for. */
export interface Keeper {
  readonly own: AccountArchive;
  readonly account: Account;
  readonly peer: Jid;
}

/** The id of a message as clients see it. */
export function idOf({ archive, ids }: AccountArchive, { id, importedId }: ArchivedId): string {
  return importedId ?? ids.write(archive, id);
}

/** Reads the archives together with their accounts. */
export class AccountArchives {
  readonly #store: AccountArchiveStore;
  readonly #slot = new AccountSlot((key) => this.#open(key));
  readonly #ids: () => Promise<ArchiveIds>;

  constructor(store: AccountArchiveStore, secrets: SecretStore) {
    this.#store = store;
    this.#ids = archiveIdsOf(secrets, 'archive-ids');
    // Read at the start of the server, because the first read makes the key: a full disk must not keep clients from logging in.
    void this.#ids().catch(() => undefined);
  }

  get slots(): readonly LoadedState[] {
    return [this.#slot];
  }

  of(account: Account): AccountArchive {
    const found = this.#slot.of(account);
    if (!found) throw new Error(`${account.key} has no archive`);
    return found;
  }

  /** Reads these ids of messages. Only imported ones must be looked up. */
  async reader({ archive, ids, hasImportedIds }: AccountArchive, texts: readonly string[]): Promise<ReadId> {
    const read: ReadId = (text) => ids.read(archive, text);
    const unknown = hasImportedIds ? texts.filter((text) => read(text) === undefined) : [];
    if (unknown.length === 0) return read;
    const found = await this.#store.idsOfImported(archive, unknown);
    const imported = new Map(unknown.map((text, at) => [text, found[at]]));
    return (text) => read(text) ?? imported.get(text);
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

  /** Notes that a client of the account reads its archive. Resolves when that is durable; it holds from now on. */
  async setRead(account: Account): Promise<void> {
    const own = this.of(account);
    if (own.wasRead) return;
    this.#slot.set(account, { ...own, wasRead: true });
    try {
      await this.#store.setRead(own.archive);
    } catch (error) {
      // The next client that reads it notes it again. The preferences may have changed meanwhile.
      this.#slot.set(account, { ...this.of(account), wasRead: false });
      throw error;
    }
  }

  /** Undefined for an address without an account. */
  async #open(key: string): Promise<AccountArchive | undefined> {
    const [record, ids] = await Promise.all([this.#store.open(key), this.#ids()]);
    if (!record) return undefined;
    const { archive, wasRead, hasImportedIds } = record;
    return { archive, preferences: parsePreferences(record.preferences), wasRead, ids, hasImportedIds };
  }
}
