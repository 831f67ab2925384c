import type Database from 'better-sqlite3';
import type { AccountRecord, LastSeen } from '../../accounts.ts';
import type { OfflineUsages } from '../../offline.ts';
import { type ItemRow, type PackedRosterItem, toItem, unpackItem } from './rosters.ts';

/** The record of an account as sent between threads. */
interface PackedAccountRecord {
  readonly roster: PackedRosterItem[];
  readonly rosterVersion: number;
  readonly blocked: string[];
  readonly lastSeen: LastSeen | undefined;
  readonly stored: OfflineUsages;
  readonly forwardTo: string | undefined;
  readonly registeredAtMs: number | undefined;
}

interface AccountRow {
  readonly id: number;
  readonly roster_version: number;
  readonly last_seen_at_ms: number | null;
  readonly last_status: string | null;
  readonly offline_messages: number;
  readonly offline_bytes: number;
  readonly offline_archived_messages: number;
  readonly offline_archived_bytes: number;
  readonly forward_to: string | null;
  readonly registered_at_ms: number | null;
}

/** Prepares reading everything that the router keeps in memory about an account. */
export function prepareLoad(db: Database.Database) {
  const account = db.prepare<[string], AccountRow>('SELECT * FROM accounts WHERE jid = ?');
  const items = db.prepare<[number], ItemRow>('SELECT * FROM roster_items WHERE account_id = ? ORDER BY contact');
  const blocked = db.prepare<[number], string>('SELECT jid FROM blocklist WHERE account_id = ? ORDER BY jid').pluck();
  return (jid: string): PackedAccountRecord | undefined => {
    const row = account.get(jid);
    if (row === undefined) return undefined;
    const { id, last_seen_at_ms: atMs, last_status: status } = row;
    return {
      roster: items.all(id).map(toItem),
      rosterVersion: row.roster_version,
      blocked: blocked.all(id),
      lastSeen: atMs === null ? undefined : { atMs, status: status ?? '' },
      stored: {
        unarchived: { messages: row.offline_messages, bytes: row.offline_bytes },
        archived: { messages: row.offline_archived_messages, bytes: row.offline_archived_bytes },
      },
      forwardTo: row.forward_to ?? undefined,
      registeredAtMs: row.registered_at_ms ?? undefined,
    };
  };
}

export function unpackRecord(packed: PackedAccountRecord | undefined): AccountRecord | undefined {
  return packed && { ...packed, roster: packed.roster.map(unpackItem) };
}
