import type Database from 'better-sqlite3';
import type { KeptRules, OfflineMessage, OfflineQuota, OfflineStore, OfflineUsage } from '../../offline.ts';
import { StorageError } from '../../storage-error.ts';
import { asBuffer, ownBytes } from '../bytes.ts';
import { defineFamily, type OperationsOf, type StoreContext } from '../family.ts';
import { prepareDueMessages } from './due-messages.ts';
import { prepareOutboxChanges } from './outbox.ts';
import { noAccount, prepareOwners } from './owners.ts';

/** A new offline message as sent between threads. */
interface PackedNewMessage {
  readonly from: string;
  readonly receivedAtMs: number;
  readonly bytes: Uint8Array;
  readonly kept?: KeptRules | undefined;
  readonly reports: readonly Uint8Array[];
  readonly outboxId?: number | undefined;
}

/** An offline message as sent between threads. */
interface PackedOfflineMessage {
  readonly id: number;
  readonly from: string;
  readonly receivedAtMs: number;
  readonly bytes: Uint8Array;
  readonly dueAtMs: number | null;
}

/** The offline messages. */
export const offline = defineFamily({
  name: 'offline',
  prepare: prepareOffline,
  adds: ['append'],
  store: offlineStore,
});

function prepareOffline(db: Database.Database) {
  const due = prepareDueMessages(db);
  return {
    reads: { ...prepareReads(db), ...due.reads },
    writes: { append: prepareAppend(db), ...prepareRemovals(db), ...due.writes },
  };
}

function offlineStore({ run, move }: StoreContext<OperationsOf<typeof prepareOffline>>): OfflineStore {
  return {
    append: (owner, { bytes, reports = [], moved = false, ...message }, quota) => {
      const packed = { ...message, bytes: ownBytes(bytes), reports: reports.map(ownBytes) };
      const append = moved || message.outboxId !== undefined ? move : run;
      return append('append', owner, packed, quota);
    },
    list: async (owner, afterId, limit) => (await run('list', owner, afterId, limit)).map(unpackMessage),
    remove: (owner, ids) => run('remove', owner, ids),
    removeAll: (owner) => run('removeAll', owner),
    count: (owner) => run('count', owner),
    due: async (page) => {
      const messages = await run('due', page);
      return messages.map((message) => ({ ...message, bytes: asBuffer(message.bytes) }));
    },
    nextDueMs: () => run('nextDueMs'),
    settle: ({ id, rules, dueAtMs }, change, reports) =>
      run('settle', id, { rules, dueAtMs }, change, reports.map(ownBytes)),
  };
}

function unpackMessage({ dueAtMs, bytes, ...message }: PackedOfflineMessage): OfflineMessage {
  return { ...message, bytes: asBuffer(bytes), ...(dueAtMs !== null && { dueAtMs }) };
}

function prepareReads(db: Database.Database) {
  const owners = prepareOwners(db);
  const list = db.prepare<[number, number, number], PackedOfflineMessage>(
    `SELECT id, sender AS "from", received_at_ms AS receivedAtMs, bytes, due_at_ms AS dueAtMs FROM offline_messages
     WHERE account_id = ? AND id > ? ORDER BY id LIMIT ?`,
  );
  const usage = db.prepare<[string], OfflineUsage>(
    'SELECT offline_messages AS messages, offline_bytes AS bytes FROM accounts WHERE jid = ?',
  );
  return {
    list: (owner: string, afterId: number, limit: number): PackedOfflineMessage[] => {
      const id = owners.find(owner);
      return id === undefined ? [] : list.all(id, afterId, limit);
    },
    count: (owner: string): OfflineUsage => usage.get(owner) ?? { messages: 0, bytes: 0 },
  };
}

function prepareAppend(db: Database.Database) {
  const outbox = prepareOutboxChanges(db);
  const usage = db.prepare<[string], { id: number; messages: number; bytes: number }>(
    'SELECT id, offline_messages AS messages, offline_bytes AS bytes FROM accounts WHERE jid = ?',
  );
  const insert = db.prepare<[number, string, number, number, Uint8Array, string | null, number | null]>(
    `INSERT INTO offline_messages (account_id, sender, received_at_ms, size, bytes, rules, due_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const grow = db.prepare<[number, number]>(
    'UPDATE accounts SET offline_messages = offline_messages + 1, offline_bytes = offline_bytes + ? WHERE id = ?',
  );
  return (owner: string, message: PackedNewMessage, quota: OfflineQuota): number => {
    const { from, receivedAtMs, bytes, kept, reports, outboxId } = message;
    const used = usage.get(owner) ?? noAccount(owner);
    if (used.messages + 1 > quota.maxMessages || used.bytes + bytes.byteLength > quota.maxBytes) {
      throw new StorageError('quota', `${JSON.stringify(owner)} has no room for another offline message`);
    }
    const [rules, dueAtMs] = [kept?.rules ?? null, kept?.dueAtMs ?? null];
    const { lastInsertRowid } = insert.run(used.id, from, receivedAtMs, bytes.byteLength, bytes, rules, dueAtMs);
    grow.run(bytes.byteLength, used.id);
    outbox.put(reports);
    if (outboxId !== undefined) outbox.remove(outboxId);
    return Number(lastInsertRowid);
  };
}

function prepareRemovals(db: Database.Database) {
  const owners = prepareOwners(db);
  const remove = db
    .prepare<[number, number], number>('DELETE FROM offline_messages WHERE account_id = ? AND id = ? RETURNING size')
    .pluck();
  const removeAll = db.prepare<[number]>('DELETE FROM offline_messages WHERE account_id = ?');
  const shrink = db.prepare<[number, number, number]>(
    'UPDATE accounts SET offline_messages = offline_messages - ?, offline_bytes = offline_bytes - ? WHERE id = ?',
  );
  const reset = db.prepare<[number]>('UPDATE accounts SET offline_messages = 0, offline_bytes = 0 WHERE id = ?');
  return {
    remove: (owner: string, ids: readonly number[]): OfflineUsage => {
      const account = owners.need(owner);
      const sizes = ids.map((id) => remove.get(account, id)).filter((size) => size !== undefined);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      if (sizes.length > 0) shrink.run(sizes.length, bytes, account);
      return { messages: sizes.length, bytes };
    },
    removeAll: (owner: string): void => {
      const account = owners.need(owner);
      removeAll.run(account);
      reset.run(account);
    },
  };
}
