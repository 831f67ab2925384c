import type Database from 'better-sqlite3';
import type { DuePage, KeptRules, OfflineUsage } from '../../offline.ts';
import { archiveTables } from './archive/archive-tables.ts';
import { type OutboxChanges, prepareOutboxChanges } from './outbox.ts';
import { prepareOwners } from './owners.ts';

/** A due message as sent between threads. */
interface PackedDueMessage extends KeptRules {
  readonly id: number;
  readonly owner: string;
  readonly bytes: Uint8Array;
  readonly archivedId: number | null;
}

const columns = `offline_messages.id, accounts.jid AS owner, bytes, rules, due_at_ms AS dueAtMs,
  archived_id AS archivedId
  FROM offline_messages JOIN accounts ON accounts.id = account_id`;
const inRange = 'due_at_ms <= ? AND (due_at_ms, offline_messages.id) > (?, ?)';
const inOrder = 'ORDER BY due_at_ms, offline_messages.id LIMIT ?';

/** Prepares adding to what an account counts of its stored messages. */
export function prepareCount(db: Database.Database) {
  const prepare = (kind: string) =>
    db.prepare<[number, number, number]>(
      `UPDATE accounts SET ${kind}_messages = ${kind}_messages + ?, ${kind}_bytes = ${kind}_bytes + ? WHERE id = ?`,
    );
  const [unarchived, archived] = [prepare('offline'), prepare('offline_archived')];
  return (account: number, isArchived: boolean, { messages, bytes }: OfflineUsage): void =>
    void (isArchived ? archived : unarchived).run(messages, bytes, account);
}

/** The operations on offline messages with rules. */
export function prepareDueMessages(db: Database.Database) {
  const owners = prepareOwners(db);
  type Range = [untilMs: number, afterMs: number, afterId: number, limit: number];
  const all = db.prepare<Range, PackedDueMessage>(`SELECT ${columns} WHERE ${inRange} ${inOrder}`);
  const owned = db.prepare<[account: number, ...Range], PackedDueMessage>(
    `SELECT ${columns} WHERE account_id = ? AND ${inRange} ${inOrder}`,
  );
  const next = db
    .prepare<[], number | null>('SELECT min(due_at_ms) FROM offline_messages WHERE due_at_ms IS NOT NULL')
    .pluck();
  return {
    reads: {
      due: ({ untilMs, after, owner, limit }: DuePage): PackedDueMessage[] => {
        const range: Range = [untilMs, after?.dueAtMs ?? Number.MIN_SAFE_INTEGER, after?.id ?? 0, limit];
        if (owner === undefined) return all.all(...range);
        const account = owners.find(owner);
        return account === undefined ? [] : owned.all(account, ...range);
      },
      nextDueMs: (): number | undefined => next.get() ?? undefined,
    },
    writes: { settle: prepareSettle(db, prepareOutboxChanges(db)) },
  };
}

function prepareSettle(db: Database.Database, outbox: OutboxChanges) {
  const same = 'id = ? AND rules = ? AND due_at_ms = ?';
  const remove = db.prepare<[number, string, number], { account: number; size: number; archivedId: number | null }>(
    `DELETE FROM offline_messages WHERE ${same} RETURNING account_id AS account, size, archived_id AS archivedId`,
  );
  const count = prepareCount(db);
  const archives = archiveTables(db);
  const update = db.prepare<[string | null, number | null, number, string, number]>(
    `UPDATE offline_messages SET rules = ?, due_at_ms = ? WHERE ${same}`,
  );
  const apply = (id: number, { rules, dueAtMs }: KeptRules, change: 'remove' | Partial<KeptRules>): boolean => {
    if (change !== 'remove') {
      return update.run(change.rules ?? null, change.dueAtMs ?? null, id, rules, dueAtMs).changes > 0;
    }
    const row = remove.get(id, rules, dueAtMs);
    if (row === undefined) return false;
    count(row.account, row.archivedId !== null, { messages: -1, bytes: -row.size });
    // Nobody has got it, and nobody may any more (XEP-0079 §3.3.2).
    if (row.archivedId !== null) archives.removeOf(row.account, row.archivedId);
    return true;
  };
  return (
    id: number,
    known: KeptRules,
    change: 'remove' | Partial<KeptRules>,
    reports: readonly Uint8Array[],
  ): boolean => {
    const applied = apply(id, known, change);
    if (applied) outbox.put(reports);
    return applied;
  };
}
