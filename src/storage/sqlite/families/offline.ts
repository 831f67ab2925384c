import type Database from 'better-sqlite3';
import type {
  ArchivedCopy,
  ArchivedIds,
  KeptRules,
  OfflineMessage,
  OfflineQuota,
  OfflineStore,
  OfflineUsage,
  OfflineUsages,
} from '../../offline.ts';
import { StorageError } from '../../storage-error.ts';
import { asBuffer, ownBytes } from '../bytes.ts';
import { defineFamily, type OperationsOf, type StoreContext } from '../family.ts';
import { archiveTables } from './archive/archive-tables.ts';
import { packMessages } from './archive/packed-messages.ts';
import { prepareCount, prepareDueMessages } from './due-messages.ts';
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
  readonly copy?: PackedCopy | undefined;
}

/** The message in the archive as sent between threads. */
interface PackedCopy {
  readonly id: number;
  /** One packed message. */
  readonly message: Uint8Array | undefined;
  readonly suffices: boolean;
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
    append: async (owner, { bytes, reports = [], moved = false, copy, ...message }, quota) => {
      const packed = {
        ...message,
        bytes: ownBytes(bytes),
        reports: reports.map(ownBytes),
        copy: copy && packCopy(copy),
      };
      const append = moved || message.outboxId !== undefined ? move : run;
      const id = await append('append', owner, packed, quota);
      return typeof id === 'number' ? id : refuse(owner, id);
    },
    list: async (owner, afterId, limit, withheld) =>
      (await run('list', owner, afterId, limit, withheld?.beforeId ?? 0)).map(unpackMessage),
    idsOf: (owner, archived) => run('idsOf', owner, archived),
    remove: (owner, ids) => run('remove', owner, ids),
    removeAll: (owner) => run('removeAll', owner),
    count: (owner) => run('count', owner),
    due: async (page) => {
      const messages = await run('due', page);
      return messages.map(({ bytes, archivedId, ...message }) => ({
        ...message,
        bytes: asBuffer(bytes),
        ...(archivedId !== null && { archivedId }),
      }));
    },
    nextDueMs: () => run('nextDueMs'),
    settle: ({ id, rules, dueAtMs }, change, reports) =>
      run('settle', id, { rules, dueAtMs }, change, reports.map(ownBytes)),
  };
}

function packCopy({ id, message, suffices }: ArchivedCopy): PackedCopy {
  return { id, message: message && packMessages([message]), suffices };
}

function refuse(owner: string, why: Refusal): never {
  if (why === 'not-found') noAccount(owner);
  throw new StorageError('quota', `${JSON.stringify(owner)} has no room for another offline message`);
}

function unpackMessage({ dueAtMs, bytes, ...message }: PackedOfflineMessage): OfflineMessage {
  return { ...message, bytes: asBuffer(bytes), ...(dueAtMs !== null && { dueAtMs }) };
}

/** Whether the archive of the owner still has the message of a row. */
const isArchived = `EXISTS (
  SELECT 1 FROM archives WHERE archives.account_id = offline_messages.account_id AND (
    EXISTS (SELECT 1 FROM archive_entries WHERE archive = archives.id AND archive_entries.id = archived_id)
    OR EXISTS (SELECT 1 FROM archive_messages WHERE archive_messages.id = archived_id
      AND archives.id IN (sender_archive, recipient_archive)
      AND archived_id > (SELECT indexed_up_to FROM archive_progress))))`;

function prepareReads(db: Database.Database) {
  const owners = prepareOwners(db);
  const list = db.prepare<[number, number, number, number], PackedOfflineMessage>(
    `SELECT id, sender AS "from", received_at_ms AS receivedAtMs, bytes, due_at_ms AS dueAtMs FROM offline_messages
     WHERE account_id = ? AND id > ? AND NOT (ifnull(archived_id < ?, 0) AND ${isArchived}) ORDER BY id LIMIT ?`,
  );
  const upTo = db
    .prepare<[number, number], number>('SELECT id FROM offline_messages WHERE account_id = ? AND archived_id <= ?')
    .pluck();
  const archived = db.prepare<[number], { id: number; archivedId: number }>(
    'SELECT id, archived_id AS archivedId FROM offline_messages WHERE account_id = ? AND archived_id IS NOT NULL',
  );
  const usage = db.prepare<[string], OfflineUsage>(
    `SELECT offline_messages + offline_archived_messages AS messages, offline_bytes + offline_archived_bytes AS bytes
     FROM accounts WHERE jid = ?`,
  );
  return {
    list: (owner: string, afterId: number, limit: number, withheldBeforeId: number): PackedOfflineMessage[] => {
      const id = owners.find(owner);
      return id === undefined ? [] : list.all(id, afterId, withheldBeforeId, limit);
    },
    idsOf: (owner: string, which: ArchivedIds): number[] => {
      const account = owners.find(owner);
      if (account === undefined) return [];
      if ('upToId' in which) return upTo.all(account, which.upToId);
      const ids = new Set(which.ids);
      return archived.all(account).flatMap(({ id, archivedId }) => (ids.has(archivedId) ? id : []));
    },
    count: (owner: string): OfflineUsage => usage.get(owner) ?? { messages: 0, bytes: 0 },
  };
}

/** Why a message was not stored. */
type Refusal = 'quota' | 'not-found';

interface UsageRow {
  readonly id: number;
  readonly messages: number;
  readonly bytes: number;
  readonly archivedMessages: number;
  readonly archivedBytes: number;
}

function prepareAppend(db: Database.Database) {
  const archives = archiveTables(db);
  const outbox = prepareOutboxChanges(db);
  const usage = db.prepare<[string], UsageRow>(
    `SELECT id, offline_messages AS messages, offline_bytes AS bytes, offline_archived_messages AS archivedMessages,
       offline_archived_bytes AS archivedBytes FROM accounts WHERE jid = ?`,
  );
  const insert = prepareInsert(db);
  return (owner: string, message: PackedNewMessage, quota: OfflineQuota): number | Refusal => {
    const { bytes, kept, reports, outboxId, copy } = message;
    const used = usage.get(owner);
    const fits = used !== undefined && hasRoom(used, copy !== undefined, bytes.byteLength, quota);
    if (used === undefined || (!fits && !(copy?.suffices && kept === undefined))) {
      if (copy?.message) archives.appendForSender(copy.message);
      return used === undefined ? 'not-found' : 'quota';
    }
    if (copy?.message) archives.append(copy.message, 1);
    const id = fits ? insert(used.id, message) : 0;
    outbox.put(reports);
    if (outboxId !== undefined) outbox.remove(outboxId);
    return id;
  };
}

function hasRoom(used: UsageRow, isArchived: boolean, size: number, { maxMessages, maxBytes }: OfflineQuota): boolean {
  const [messages, bytes] = isArchived ? [used.archivedMessages, used.archivedBytes] : [used.messages, used.bytes];
  return messages < maxMessages && bytes + size <= maxBytes;
}

function prepareInsert(db: Database.Database) {
  const insert = db.prepare<[number, string, number, number, Uint8Array, string | null, number | null, number | null]>(
    `INSERT INTO offline_messages (account_id, sender, received_at_ms, size, bytes, rules, due_at_ms, archived_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const count = prepareCount(db);
  return (account: number, { from, receivedAtMs, bytes, kept, copy }: PackedNewMessage): number => {
    const size = bytes.byteLength;
    const [rules, dueAtMs] = [kept?.rules ?? null, kept?.dueAtMs ?? null];
    const { lastInsertRowid } = insert.run(account, from, receivedAtMs, size, bytes, rules, dueAtMs, copy?.id ?? null);
    count(account, copy !== undefined, { messages: 1, bytes: size });
    return Number(lastInsertRowid);
  };
}

function prepareRemovals(db: Database.Database) {
  const owners = prepareOwners(db);
  const remove = db.prepare<[number, number], { size: number; archivedId: number | null }>(
    'DELETE FROM offline_messages WHERE account_id = ? AND id = ? RETURNING size, archived_id AS archivedId',
  );
  const removeAll = db.prepare<[number]>('DELETE FROM offline_messages WHERE account_id = ?');
  const reset = db.prepare<[number]>(
    `UPDATE accounts SET offline_messages = 0, offline_bytes = 0, offline_archived_messages = 0, offline_archived_bytes = 0
     WHERE id = ?`,
  );
  const count = prepareCount(db);
  return {
    remove: (owner: string, ids: readonly number[]): OfflineUsages => {
      const account = owners.need(owner);
      const rows = ids.map((id) => remove.get(account, id)).filter((row) => row !== undefined);
      const usageOf = (isArchived: boolean): OfflineUsage => {
        const sizes = rows.filter(({ archivedId }) => (archivedId !== null) === isArchived).map(({ size }) => size);
        const usage = { messages: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
        if (usage.messages > 0) count(account, isArchived, { messages: -usage.messages, bytes: -usage.bytes });
        return usage;
      };
      return { unarchived: usageOf(false), archived: usageOf(true) };
    },
    removeAll: (owner: string): void => {
      const account = owners.need(owner);
      removeAll.run(account);
      reset.run(account);
    },
  };
}
