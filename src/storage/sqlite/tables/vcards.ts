import type Database from 'better-sqlite3';
import type { Owners } from './owners.ts';

/** The operations on vCards. */
export function vcardOperations(db: Database.Database, owners: Owners) {
  const get = db
    .prepare<[string], string>(
      'SELECT xml FROM vcards JOIN accounts ON accounts.id = account_id WHERE accounts.jid = ?',
    )
    .pluck();
  const set = db.prepare<[number, string]>('INSERT OR REPLACE INTO vcards (account_id, xml) VALUES (?, ?)');
  return {
    reads: { 'vcards.get': (owner: string): string | undefined => get.get(owner) },
    writes: {
      'vcards.set': (owner: string, xml: string): void => {
        set.run(owners.need(owner), xml);
      },
    },
  };
}
