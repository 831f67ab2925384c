import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3';

/** How long a user cannot register the address of a removed account. */
const reservedMs = 365 * 86_400_000;

/** Prepares the addresses of removed accounts, which are kept as hashes because they belonged to users. */
export function prepareRemovedAccounts(db: Database.Database) {
  const add = db.prepare<[Buffer, number]>(
    'INSERT INTO removed_accounts (hash, removed_at_ms) VALUES (?, ?) ON CONFLICT DO UPDATE SET removed_at_ms = excluded.removed_at_ms',
  );
  const forgetOld = db.prepare<[number]>('DELETE FROM removed_accounts WHERE removed_at_ms < ?');
  const forget = db.prepare<[Buffer]>('DELETE FROM removed_accounts WHERE hash = ?');
  const find = db
    .prepare<[Buffer, number], number>('SELECT 1 FROM removed_accounts WHERE hash = ? AND removed_at_ms >= ?')
    .pluck();
  return {
    add: (jid: string, nowMs: number): void => {
      forgetOld.run(nowMs - reservedMs);
      add.run(hashOf(jid), nowMs);
    },
    /** There is an account of this address again. */
    forget: (jid: string): void => void forget.run(hashOf(jid)),
    has: (jid: string, nowMs: number): boolean => find.get(hashOf(jid), nowMs - reservedMs) !== undefined,
  };
}

function hashOf(jid: string): Buffer {
  return createHash('sha256').update(jid).digest();
}
