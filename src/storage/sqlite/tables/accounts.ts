import type Database from 'better-sqlite3';
import type { Forward, LastSeen, ScramHash } from '../../accounts.ts';
import { StorageError } from '../../storage-error.ts';
import { noAccount, type Owners } from './owners.ts';

/** SCRAM keys as they travel between the threads: hash, salt, iterations, stored key, server key. */
type PackedScramKeys = readonly [
  hash: ScramHash,
  salt: Uint8Array,
  iterations: number,
  storedKey: Uint8Array,
  serverKey: Uint8Array,
];

/** Credentials as they travel between the threads. */
export interface PackedCredentials {
  readonly scram: readonly PackedScramKeys[];
  readonly bcrypt: string | null;
}

/** A new account as it travels between the threads. */
export type PackedAccount = readonly [jid: string, domain: string, credentials: PackedCredentials];

/** The operations on accounts. */
export function accountOperations(db: Database.Database, owners: Owners) {
  // In no order: with one SQLite would prepare it anew for every account.
  const keysOf = db
    .prepare<[number], PackedScramKeys>(
      'SELECT hash, salt, iterations, stored_key, server_key FROM credentials WHERE account_id = ?',
    )
    .raw();
  const bcryptOf = db.prepare<[number], string | null>('SELECT bcrypt FROM accounts WHERE id = ?').pluck();
  const lastSeen = db.prepare<[number, string, string]>(
    'UPDATE accounts SET last_seen_at_ms = ?, last_status = ? WHERE jid = ?',
  );
  const forward = db.prepare<[string | null, string]>('UPDATE accounts SET forward_to = ? WHERE jid = ?');
  const endSessions = db.prepare<[nowMs: number, account: number, keep: string | null]>(
    `UPDATE resumable_sessions SET ended_at_ms = coalesce(detached_at_ms, ?), state = '{}'
     WHERE account_id = ? AND ended_at_ms IS NULL AND key IS NOT ?`,
  );
  const remove = db.prepare<[string]>('DELETE FROM accounts WHERE jid = ?');
  const credentials = prepareCredentials(db);
  const insert = prepareInsert(db, credentials.write);

  return {
    reads: {
      ...listings(db),
      'accounts.credentials': (jid: string): PackedCredentials | undefined => {
        const id = owners.find(jid);
        return id === undefined ? undefined : { scram: keysOf.all(id), bcrypt: bcryptOf.get(id) ?? null };
      },
    },
    writes: {
      'accounts.create': (account: PackedAccount, nowMs: number): void => {
        if (!insert(account, nowMs)) throw new StorageError('conflict', `${JSON.stringify(account[0])} exists already`);
      },
      'accounts.createMany': (accounts: readonly PackedAccount[], nowMs: number): string[] =>
        accounts.filter((account) => !insert(account, nowMs)).map(([jid]) => jid),
      'accounts.setCredentials': (jid: string, packed: PackedCredentials): void => {
        credentials.replace(owners.need(jid), packed);
      },
      'accounts.changePassword': (jid: string, packed: PackedCredentials, keep: string | null, nowMs: number): void => {
        const id = owners.need(jid);
        credentials.replace(id, packed);
        // Nobody comes back by what an old password has opened.
        endSessions.run(nowMs, id, keep);
      },
      'accounts.remove': (jid: string): boolean => remove.run(jid).changes > 0,
      'accounts.setLastSeen': (jid: string, { atMs, status }: LastSeen): void => {
        if (lastSeen.run(atMs, status, jid).changes === 0) noAccount(jid);
      },
      'accounts.setForward': (jid: string, target: string | undefined): void => {
        if (forward.run(target ?? null, jid).changes === 0) noAccount(jid);
      },
    },
  };
}

function listings(db: Database.Database) {
  const list = db
    .prepare<[string, number], string>('SELECT jid FROM accounts WHERE jid > ? ORDER BY jid LIMIT ?')
    .pluck();
  const listDomain = db
    .prepare<[string, string, number], string>(
      'SELECT jid FROM accounts WHERE domain = ? AND jid > ? ORDER BY jid LIMIT ?',
    )
    .pluck();
  const forwards = db.prepare<[string, number], Forward>(
    'SELECT jid, forward_to AS target FROM accounts WHERE forward_to IS NOT NULL AND jid > ? ORDER BY jid LIMIT ?',
  );
  const count = db.prepare<[], number>('SELECT count(*) FROM accounts').pluck();
  const countDomain = db.prepare<[string], number>('SELECT count(*) FROM accounts WHERE domain = ?').pluck();
  return {
    'accounts.list': (domain: string | undefined, after: string, limit: number): string[] =>
      domain === undefined ? list.all(after, limit) : listDomain.all(domain, after, limit),
    'accounts.forwards': (after: string, limit: number): Forward[] => forwards.all(after, limit),
    'accounts.count': (domain: string | undefined): number =>
      (domain === undefined ? count.get() : countDomain.get(domain)) ?? 0,
  };
}

function prepareCredentials(db: Database.Database) {
  const putKeys = db.prepare<[number, ...PackedScramKeys]>(
    `INSERT INTO credentials (account_id, hash, salt, iterations, stored_key, server_key) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const dropKeys = db.prepare<[number]>('DELETE FROM credentials WHERE account_id = ?');
  const setBcrypt = db.prepare<[string | null, number]>('UPDATE accounts SET bcrypt = ? WHERE id = ?');
  const write = (id: number, packed: PackedCredentials): void => {
    for (const keys of packed.scram) putKeys.run(id, ...keys);
  };
  return {
    write,
    replace: (id: number, packed: PackedCredentials): void => {
      dropKeys.run(id);
      setBcrypt.run(packed.bcrypt, id);
      write(id, packed);
    },
  };
}

/** A function that creates one account and says whether it was new. */
function prepareInsert(db: Database.Database, writeKeys: (id: number, packed: PackedCredentials) => void) {
  const insert = db
    .prepare<[string, string, number, string | null, number, number], number>(
      `INSERT INTO accounts (jid, domain, created_at_ms, bcrypt, roster_version, roster_floor)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (jid) DO NOTHING RETURNING id`,
    )
    .pluck();
  return ([jid, domain, credentials]: PackedAccount, nowMs: number): boolean => {
    const id = insert.get(jid, domain, nowMs, credentials.bcrypt, nowMs, nowMs);
    if (id === undefined) return false;
    writeKeys(id, credentials);
    return true;
  };
}
