import type Database from 'better-sqlite3';
import type {
  BlockedDomain,
  ListedChange,
  ListedEntry,
  ModerationStore,
  Notice,
  NoticeKind,
  Suspension,
} from '../../moderation.ts';
import { defineFamily } from '../family.ts';
import { prepareOwners } from './owners.ts';

/** Decisions of the operator about domains and accounts, which are few, and the block lists of other servers. */
export const moderation = defineFamily({
  name: 'moderation',
  prepare: (db) => ({ reads: prepareReads(db), writes: prepareWrites(db) }),
  // The operator's own decisions are not refused when the disk is nearly full.
  adds: ['changeListed'],
  store: ({ run }): ModerationStore => ({
    blockedDomains: () => run('blockedDomains'),
    blockDomain: (blocked) => run('blockDomain', blocked),
    unblockDomain: (domain) => run('unblockDomain', domain),
    suspensions: () => run('suspensions'),
    suspend: (suspension) => run('suspend', suspension),
    resume: (jid) => run('resume', jid),
    notices: () => run('notices'),
    setNotice: (notice) => run('setNotice', notice),
    removeNotice: (domain, kind) => run('removeNotice', domain, kind),
    listedEntries: () => run('listedEntries'),
    changeListed: (change) => run('changeListed', change),
  }),
});

/** A row with NULL where the value is undefined. */
type Row<T> = { readonly [Key in keyof T]-?: undefined extends T[Key] ? Exclude<T[Key], undefined> | null : T[Key] };

function prepareReads(db: Database.Database) {
  const blocked = db.prepare<[], Row<BlockedDomain>>(
    'SELECT domain, at_ms AS atMs, reason FROM blocked_domains ORDER BY domain',
  );
  const suspended = db.prepare<[], Row<Omit<Suspension, 'awaitsApproval'>> & { readonly waits: number }>(
    `SELECT accounts.jid, at_ms AS atMs, reason, remove_at_ms AS removeAtMs, awaits_approval AS waits
     FROM suspensions JOIN accounts ON accounts.id = account_id ORDER BY accounts.jid`,
  );
  const notices = db.prepare<[], Notice>('SELECT domain, kind, at_ms AS atMs, text FROM notices ORDER BY domain, kind');
  const listed = db.prepare<[], ListedEntry>('SELECT list, entry FROM listed_entries');
  return {
    blockedDomains: (): BlockedDomain[] =>
      blocked.all().map(({ reason, ...row }) => ({ ...row, reason: reason ?? undefined })),
    suspensions: (): Suspension[] =>
      suspended.all().map(({ reason, removeAtMs, waits, ...row }) => {
        const limits = { reason: reason ?? undefined, removeAtMs: removeAtMs ?? undefined };
        return { ...row, ...limits, ...(waits === 1 && { awaitsApproval: true }) };
      }),
    notices: (): Notice[] => notices.all(),
    listedEntries: (): ListedEntry[] => listed.all(),
  };
}

function prepareWrites(db: Database.Database) {
  const owners = prepareOwners(db);
  const block = db.prepare<[string, number, string | null]>(
    'INSERT OR REPLACE INTO blocked_domains (domain, at_ms, reason) VALUES (?, ?, ?)',
  );
  const unblock = db.prepare<[string]>('DELETE FROM blocked_domains WHERE domain = ?');
  const suspend = db.prepare<[number, number, string | null, number | null]>(
    'INSERT OR REPLACE INTO suspensions (account_id, at_ms, reason, remove_at_ms) VALUES (?, ?, ?, ?)',
  );
  const resume = db.prepare<[string]>(
    'DELETE FROM suspensions WHERE account_id = (SELECT id FROM accounts WHERE jid = ?)',
  );
  const setNotice = db.prepare<[string, NoticeKind, number, string]>(
    'INSERT OR REPLACE INTO notices (domain, kind, at_ms, text) VALUES (?, ?, ?, ?)',
  );
  const removeNotice = db.prepare<[string, NoticeKind]>('DELETE FROM notices WHERE domain = ? AND kind = ?');
  const addListed = db.prepare<[string, string]>('INSERT OR IGNORE INTO listed_entries (list, entry) VALUES (?, ?)');
  const removeListed = db.prepare<[string, string]>('DELETE FROM listed_entries WHERE list = ? AND entry = ?');
  return {
    blockDomain: ({ domain, atMs, reason }: BlockedDomain): void => void block.run(domain, atMs, reason ?? null),
    unblockDomain: (domain: string): boolean => unblock.run(domain).changes > 0,
    suspend: ({ jid, atMs, reason, removeAtMs }: Suspension): void =>
      void suspend.run(owners.need(jid), atMs, reason ?? null, removeAtMs ?? null),
    resume: (jid: string): boolean => resume.run(jid).changes > 0,
    setNotice: ({ domain, kind, atMs, text }: Notice): void => void setNotice.run(domain, kind, atMs, text),
    removeNotice: (domain: string, kind: NoticeKind): boolean => removeNotice.run(domain, kind).changes > 0,
    changeListed: ({ list, added, removed }: ListedChange): void => {
      for (const entry of removed) removeListed.run(list, entry);
      for (const entry of added) addListed.run(list, entry);
    },
  };
}
