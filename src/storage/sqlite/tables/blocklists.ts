import type Database from 'better-sqlite3';
import type { Owners } from './owners.ts';

/** The operations on blocklists; `accounts.load` reads them. */
export function blocklistOperations(db: Database.Database, owners: Owners) {
  const add = db.prepare<[number, string]>('INSERT OR REPLACE INTO blocklist (account_id, jid) VALUES (?, ?)');
  const remove = db.prepare<[number, string]>('DELETE FROM blocklist WHERE account_id = ? AND jid = ?');
  const clear = db.prepare<[number]>('DELETE FROM blocklist WHERE account_id = ?');
  return {
    writes: {
      'blocklists.add': (owner: string, jids: readonly string[]): void => {
        const id = owners.need(owner);
        for (const jid of jids) add.run(id, jid);
      },
      'blocklists.remove': (owner: string, jids: readonly string[]): void => {
        const id = owners.need(owner);
        for (const jid of jids) remove.run(id, jid);
      },
      'blocklists.clear': (owner: string): void => {
        clear.run(owners.need(owner));
      },
    },
  };
}
