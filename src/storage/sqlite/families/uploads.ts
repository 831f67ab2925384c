import type Database from 'better-sqlite3';
import { StorageError } from '../../storage-error.ts';
import type {
  NewUpload,
  RecentUsage,
  StoredUpload,
  UploadPage,
  UploadSelection,
  UploadStore,
  UploadUsage,
} from '../../uploads.ts';
import { defineFamily } from '../family.ts';
import { prepareOwners } from './owners.ts';

/** Files that users have uploaded. */
export const uploads = defineFamily({
  name: 'uploads',
  prepare: (db) => ({ reads: { ...prepareReads(db), ...prepareLists(db) }, writes: prepareWrites(db) }),
  adds: ['add'],
  store: ({ run }): UploadStore => ({
    add: (owner, upload, maxBytes) => run('add', owner, upload, maxBytes),
    find: (id) => run('find', id),
    usage: (owner, recentMs) => run('usage', owner, recentMs),
    remove: (selection) => run('remove', selection),
    due: (limit) => run('due', limit),
    deleted: (ids, atMs) => run('deleted', ids, atMs),
    forget: (beforeMs) => run('forget', beforeMs),
    unknown: (ids) => run('unknown', ids),
    total: () => run('total'),
    list: (page) => run('list', page),
    largest: (limit) => run('largest', limit),
  }),
});

const columns = 'number, u.id, accounts.jid AS owner, name, type, size, uploaded_at_ms AS uploadedAtMs';

function prepareReads(db: Database.Database) {
  const find = db.prepare<[string], Omit<StoredUpload, 'owner'> & { readonly owner: string | null }>(
    `SELECT ${columns} FROM uploads u LEFT JOIN accounts ON accounts.id = account_id WHERE u.id = ?`,
  );
  const usage = db.prepare<
    { owner: string; recentMs: number },
    Omit<RecentUsage, 'recentSinceMs'> & { readonly recentSinceMs: number | null }
  >(
    `SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes,
       coalesce(sum(size) FILTER (WHERE uploaded_at_ms >= @recentMs), 0) AS recentBytes,
       count(*) FILTER (WHERE uploaded_at_ms >= @recentMs) AS recentFiles,
       min(uploaded_at_ms) FILTER (WHERE uploaded_at_ms >= @recentMs) AS recentSinceMs
     FROM uploads WHERE account_id = (SELECT id FROM accounts WHERE jid = @owner)`,
  );
  const due = db.prepare<[number], Pick<NewUpload, 'id' | 'size'>>(
    'SELECT id, size FROM uploads WHERE account_id IS NULL AND deleted_at_ms IS NULL LIMIT ?',
  );
  const unknown = db
    .prepare<[string], string>(
      `SELECT value FROM json_each(?)
       WHERE NOT EXISTS (SELECT 1 FROM uploads WHERE id = value AND deleted_at_ms IS NULL)`,
    )
    .pluck();
  const total = db.prepare<[], UploadUsage>(
    'SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes FROM uploads WHERE deleted_at_ms IS NULL',
  );
  return {
    find: (id: string): StoredUpload | 'gone' | undefined => {
      const found = find.get(id);
      if (found === undefined) return undefined;
      return found.owner === null ? 'gone' : { ...found, owner: found.owner };
    },
    usage: (owner: string, recentMs: number): RecentUsage => {
      const found = usage.get({ owner, recentMs });
      return {
        files: 0,
        bytes: 0,
        recentBytes: 0,
        recentFiles: 0,
        ...found,
        recentSinceMs: found?.recentSinceMs ?? undefined,
      };
    },
    due: (limit: number) => due.all(limit),
    unknown: (ids: readonly string[]): string[] => unknown.all(JSON.stringify(ids)),
    total: (): UploadUsage => total.get() ?? { files: 0, bytes: 0 },
  };
}

function prepareLists(db: Database.Database) {
  const list = db.prepare<[number, number], StoredUpload>(
    `SELECT ${columns} FROM uploads u JOIN accounts ON accounts.id = account_id
     WHERE number < ? ORDER BY number DESC LIMIT ?`,
  );
  const listOf = db.prepare<[number, string, number], StoredUpload>(
    `SELECT ${columns} FROM uploads u JOIN accounts ON accounts.id = account_id
     WHERE number < ? AND accounts.jid = ? ORDER BY number DESC LIMIT ?`,
  );
  const largest = db.prepare<[number], UploadUsage & { readonly owner: string }>(
    `SELECT jid AS owner, count(*) AS files, sum(size) AS bytes FROM uploads u JOIN accounts ON accounts.id = account_id
     GROUP BY account_id ORDER BY bytes DESC, owner LIMIT ?`,
  );
  return {
    list: ({ before, limit, owner }: UploadPage): StoredUpload[] =>
      owner === undefined ? list.all(before, limit) : listOf.all(before, owner, limit),
    largest: (limit: number) => largest.all(limit),
  };
}

function prepareWrites(db: Database.Database) {
  const owners = prepareOwners(db);
  const insert = db.prepare<[string, number, string, string, number, number]>(
    'INSERT INTO uploads (id, account_id, name, type, size, uploaded_at_ms) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const held = db.prepare<[number], number>('SELECT sum(size) FROM uploads WHERE account_id = ?').pluck();
  const trim = db.prepare<[number, number]>(
    `UPDATE uploads SET account_id = NULL WHERE number IN (
       SELECT number FROM (
         SELECT number, sum(size) OVER (ORDER BY number DESC) AS bytes, row_number() OVER (ORDER BY number DESC) AS place
         FROM uploads WHERE account_id = ?)
       WHERE bytes > ? AND place > 1)`,
  );
  const deleted = db
    .prepare<[number, string], number>(
      `UPDATE uploads SET deleted_at_ms = ?, name = '', type = ''
       WHERE id IN (SELECT value FROM json_each(?)) AND account_id IS NULL AND deleted_at_ms IS NULL RETURNING size`,
    )
    .pluck();
  const forget = db.prepare<[number]>('DELETE FROM uploads WHERE deleted_at_ms < ? AND account_id IS NULL');
  return {
    add: (owner: string, { id, name, type, size, uploadedAtMs }: NewUpload, maxBytes: number): number => {
      const account = owners.need(owner);
      insert.run(id, account, name, type, size, uploadedAtMs);
      // Finding the oldest files costs many times as much as the sum.
      return (held.get(account) ?? 0) > maxBytes ? trim.run(account, maxBytes).changes : 0;
    },
    remove: (selection: UploadSelection): number => removeSelected(db, selection),
    deleted: (ids: readonly string[], atMs: number): number =>
      deleted.all(atMs, JSON.stringify(ids)).reduce((sum, size) => sum + size, 0),
    forget: (beforeMs: number): void => void forget.run(beforeMs),
  };
}

const conditions: Readonly<Record<keyof UploadSelection, string>> = {
  id: 'id = @id',
  owner: 'account_id = (SELECT accounts.id FROM accounts WHERE jid = @owner)',
  beforeMs: 'uploaded_at_ms < @beforeMs',
};

function removeSelected(db: Database.Database, { id, owner, beforeMs }: UploadSelection): number {
  const wanted = {
    ...(id !== undefined && { id }),
    ...(owner !== undefined && { owner }),
    ...(beforeMs !== undefined && { beforeMs }),
  };
  const terms = Object.entries(conditions).flatMap(([key, condition]) => (key in wanted ? condition : []));
  if (terms.length === 0) throw new StorageError('invalid', 'Which files to remove?');
  const where = ['account_id IS NOT NULL', ...terms].join(' AND ');
  return db.prepare<[typeof wanted]>(`UPDATE uploads SET account_id = NULL WHERE ${where}`).run(wanted).changes;
}
