import { blankItem } from '../../src/routing/roster.ts';
import type { AccountRecord, AccountStore } from '../../src/storage/accounts.ts';
import type { NewRosterItem, RosterItem, RosterStore } from '../../src/storage/rosters.ts';

type Load = AccountStore['load'];

/** Accounts in memory, and how often each was read. A test can hold the answers back. */
export class MemoryAccounts implements Pick<AccountStore, 'load'> {
  readonly records = new Map<string, AccountRecord>();
  readonly reads: string[] = [];
  /** Comes before every answer. */
  before: () => Promise<void> = () => Promise.resolve();

  readonly load: Load = async (jid) => {
    this.reads.push(jid);
    const found = this.records.get(jid);
    await this.before();
    return found;
  };

  add(jid: string, ...items: readonly RosterItem[]): void {
    this.records.set(jid, { roster: [...items], rosterVersion: 0, blocked: [] });
  }
}

/** A store of rosters that only counts versions, and keeps its promises when the test says so. */
export class MemoryRosters implements Pick<RosterStore, 'put' | 'remove'> {
  readonly calls: string[] = [];
  /** Comes before every answer; what it rejects with, the write fails with. */
  before: () => Promise<void> = () => Promise.resolve();
  #version = 0;

  put(owner: string, item: NewRosterItem): Promise<number> {
    return this.#write(`put ${owner} ${item.contact}`, item.inRoster);
  }

  remove(owner: string, contact: string): Promise<number> {
    return this.#write(`remove ${owner} ${contact}`, true);
  }

  async #write(call: string, shown: boolean): Promise<number> {
    this.calls.push(call);
    this.#version += Number(shown);
    const version = this.#version;
    await this.before();
    return version;
  }
}

/** A roster item with these fields, otherwise blank but shown. */
export function item(contact: string, changes: Partial<RosterItem> = {}): RosterItem {
  return { ...blankItem(contact), inRoster: true, ...changes };
}
