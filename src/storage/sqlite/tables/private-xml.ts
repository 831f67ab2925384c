import type Database from 'better-sqlite3';
import type { Owners } from './owners.ts';

/** The operations on private XML. */
export function privateXmlOperations(db: Database.Database, owners: Owners) {
  const get = db
    .prepare<[string, string, string], string>(
      `SELECT xml FROM private_xml JOIN accounts ON accounts.id = account_id
       WHERE accounts.jid = ? AND name = ? AND ns = ?`,
    )
    .pluck();
  const set = db.prepare<[number, string, string, string]>(
    'INSERT OR REPLACE INTO private_xml (account_id, name, ns, xml) VALUES (?, ?, ?, ?)',
  );
  return {
    reads: {
      'privateXml.get': (owner: string, name: string, ns: string): string | undefined => get.get(owner, name, ns),
    },
    writes: {
      'privateXml.set': (owner: string, name: string, ns: string, xml: string): void => {
        set.run(owners.need(owner), name, ns, xml);
      },
    },
  };
}
