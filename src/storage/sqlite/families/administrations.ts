import type Database from 'better-sqlite3';
import type {
  Administration,
  AdministrationQuery,
  AdministrationStore,
  NewAdministration,
} from '../../administrations.ts';
import { defineFamily } from '../family.ts';

/** The audit log. */
export const administrations = defineFamily({
  name: 'administrations',
  prepare: (db) => ({ reads: prepareReads(db), writes: prepareWrites(db) }),
  adds: ['add'],
  store: ({ run }): AdministrationStore => ({
    add: (administration, keepFromMs) => run('add', administration, keepFromMs),
    list: (query) => run('list', query),
  }),
});

type ListedRow = Omit<Administration, 'subject'> & { readonly subject: string | null };

function prepareReads(db: Database.Database) {
  const list = db.prepare<[object], ListedRow>(
    `SELECT id, at_ms AS atMs, operator, origin, operation, subject, result FROM administrations
     WHERE id < @beforeId AND at_ms >= @sinceMs AND (@operator IS NULL OR operator = @operator)
       AND (@subject IS NULL OR subject = @subject)
     ORDER BY id DESC LIMIT @limit`,
  );
  return {
    list: (query: AdministrationQuery): Administration[] => {
      const { beforeId = Number.MAX_SAFE_INTEGER, sinceMs = 0, operator = null, subject = null, limit } = query;
      const rows = list.all({ beforeId, sinceMs, operator, subject, limit });
      return rows.map((row) => ({ ...row, subject: row.subject ?? undefined }));
    },
  };
}

function prepareWrites(db: Database.Database) {
  const insert = db.prepare<[number, string, string, string, string | null, string]>(
    'INSERT INTO administrations (at_ms, operator, origin, operation, subject, result) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const removeOld = db.prepare<[number]>('DELETE FROM administrations WHERE at_ms < ?');
  return {
    add: ({ atMs, operator, origin, operation, subject, result }: NewAdministration, keepFromMs: number): void => {
      insert.run(atMs, operator, origin, operation, subject ?? null, result);
      removeOld.run(keepFromMs);
    },
  };
}
