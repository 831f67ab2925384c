import type Database from 'better-sqlite3';
import type { NewReport, ReportLimits, ReportStore, ReportSummary, StoredReport } from '../../reports.ts';
import { defineFamily } from '../family.ts';
import { prepareOwners } from './owners.ts';

interface ReportRow extends Pick<StoredReport, 'id' | 'reporter' | 'atMs' | 'jid' | 'reason'> {
  readonly texts: string;
  readonly passingOn: string;
}

/** Reports of users. */
export const reports = defineFamily({
  name: 'reports',
  prepare: (db) => ({ reads: prepareReads(db), writes: prepareWrites(db) }),
  adds: ['add'],
  store: ({ run }): ReportStore => ({
    add: (reporter, report, limits) => run('add', reporter, report, limits),
    list: (beforeId, limit) => run('list', beforeId, limit),
    get: (id) => run('get', id),
    remove: (id) => run('remove', id),
  }),
});

function prepareReads(db: Database.Database) {
  const columns =
    'reports.id, accounts.jid AS reporter, at_ms AS atMs, reports.jid, reason, texts, passing_on AS passingOn';
  const from = 'FROM reports JOIN accounts ON accounts.id = account_id';
  const list = db.prepare<[number, number], ReportRow & { readonly messageCount: number }>(
    `SELECT ${columns}, json_array_length(messages) AS messageCount ${from}
     WHERE reports.id < ? ORDER BY reports.id DESC LIMIT ?`,
  );
  const get = db.prepare<[number], ReportRow & { readonly messages: string }>(
    `SELECT ${columns}, messages ${from} WHERE reports.id = ?`,
  );
  return {
    list: (beforeId: number, limit: number): ReportSummary[] => list.all(beforeId, limit).map(parsed),
    get: (id: number): StoredReport | undefined => {
      const row = get.get(id);
      return row && { ...parsed(row), messages: JSON.parse(row.messages) };
    },
  };
}

/** The row with its texts and permissions read. */
function parsed<Row extends ReportRow>(row: Row) {
  return { ...row, texts: JSON.parse(row.texts), passingOn: JSON.parse(row.passingOn) };
}

function prepareWrites(db: Database.Database) {
  const owners = prepareOwners(db);
  const insert = db.prepare<[number, number, string, string, string, string, string]>(
    'INSERT INTO reports (account_id, at_ms, jid, reason, texts, passing_on, messages) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const removeOldestOf = db.prepare<[number, number]>(
    `DELETE FROM reports WHERE id IN
       (SELECT id FROM reports WHERE account_id = ? ORDER BY id DESC LIMIT -1 OFFSET ?)`,
  );
  const removeOldest = db.prepare<[number]>(
    'DELETE FROM reports WHERE id IN (SELECT id FROM reports ORDER BY id DESC LIMIT -1 OFFSET ?)',
  );
  const remove = db.prepare<[number]>('DELETE FROM reports WHERE id = ?');
  return {
    add: (reporter: string, report: NewReport, { perAccount, total }: ReportLimits): number => {
      const account = owners.need(reporter);
      const { atMs, jid, reason } = report;
      const [texts, passingOn, messages] = [report.texts, report.passingOn, report.messages].map((part) =>
        JSON.stringify(part),
      );
      const { lastInsertRowid } = insert.run(account, atMs, jid, reason, texts!, passingOn!, messages!);
      removeOldestOf.run(account, perAccount);
      removeOldest.run(total);
      return Number(lastInsertRowid);
    },
    remove: (id: number): boolean => remove.run(id).changes > 0,
  };
}
