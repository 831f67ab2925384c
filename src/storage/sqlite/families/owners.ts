import type Database from 'better-sqlite3';
import { StorageError } from '../../storage-error.ts';

/** Finds the row ids of accounts. */
interface Owners {
  find(jid: string): number | undefined;
  /** Throws `not-found`. */
  need(jid: string): number;
}

/** Prepares the lookup of accounts by JID. */
export function prepareOwners(db: Database.Database): Owners {
  const byJid = db.prepare<[string], number>('SELECT id FROM accounts WHERE jid = ?').pluck();
  return {
    find: (jid) => byJid.get(jid),
    need: (jid) => byJid.get(jid) ?? noAccount(jid),
  };
}

/** Throws the error of a write for an account that does not exist. */
export function noAccount(jid: string): never {
  throw new StorageError('not-found', `There is no account ${JSON.stringify(jid)}`);
}
