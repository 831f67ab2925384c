import type Database from 'better-sqlite3';
import type { AccountStore, Forward, LastSeen, NewAccount, PasswordChange, Registration } from '../../accounts.ts';
import { StorageError } from '../../storage-error.ts';
import { ownBytes } from '../bytes.ts';
import { defineFamily, type OperationsOf, type StoreContext } from '../family.ts';
import { prepareLoad, unpackRecord } from './account-record.ts';
import {
  type PackedCredentials,
  packCredentials,
  packKeys,
  prepareCredentials,
  unpackCredentials,
} from './credentials.ts';
import { prepareReserved, prepareUse } from './invitations.ts';
import { noAccount, prepareOwners } from './owners.ts';
import { prepareRemovedAccounts } from './removed-accounts.ts';

/** A new account as sent between threads. */
type PackedAccount = readonly [
  jid: string,
  domain: string,
  credentials: PackedCredentials,
  archive: number | undefined,
];

/** A registration as sent between threads. */
interface PackedRegistration {
  readonly invitation: Uint8Array | undefined;
  readonly approval: Registration['approval'];
}

/** A change of password as sent between threads. */
type PackedChange = Omit<PasswordChange, 'resetToken'> & { readonly resetToken: Uint8Array | undefined };

/** The accounts and their credentials. */
export const accounts = defineFamily({
  name: 'accounts',
  prepare: prepareAccounts,
  adds: ['create', 'createMany', 'setForward'],
  store: accountStore,
});

function prepareAccounts(db: Database.Database) {
  return { reads: prepareReads(db), writes: prepareWrites(db) };
}

function accountStore({ run, nowMs }: StoreContext<OperationsOf<typeof prepareAccounts>>): AccountStore {
  let version = 0;
  const change: typeof run = (operation, ...args) => {
    version++;
    return run(operation, ...args);
  };
  return {
    create: (jid, credentials, registration) =>
      change('create', packAccount({ jid, credentials }), registration && packRegistration(registration), nowMs()),
    createMany: async (accounts) => {
      const packed = accounts.map(packAccount);
      const skipped = await change('createMany', packed, nowMs());
      return { created: accounts.length - skipped.length, skipped };
    },
    credentials: async (jid) => unpackCredentials(await run('credentials', jid)),
    // Operations take effect in the order of their calls, so every later read is up to date.
    credentialsVersion: () => version,
    setCredentials: (jid, credentials) => change('setCredentials', jid, packCredentials(credentials)),
    addKeys: (jid, passwordVersion, hash, keys) => change('addKeys', jid, passwordVersion, packKeys(hash, keys)),
    changePassword: (jid, credentials, how = {}) =>
      change('changePassword', jid, packCredentials(credentials), packChange(how), nowMs()),
    remove: (jid) => change('remove', jid, nowMs()),
    list: ({ domain, containing, after, limit }) => run('list', { domain, containing }, after ?? '', limit),
    count: (domain) => run('count', domain),
    load: async (jid) => unpackRecord(await run('load', jid)),
    setLastSeen: (jid, atMs, status) => run('setLastSeen', jid, { atMs, status }),
    setForward: (jid, target) => run('setForward', jid, target),
    forwards: ({ after = '', limit }) => run('forwards', after, limit),
  };
}

function packAccount({ jid, credentials, archive }: NewAccount): PackedAccount {
  return [jid, jid.slice(jid.indexOf('@') + 1), packCredentials(credentials), archive];
}

function packRegistration({ invitation, approval }: Registration): PackedRegistration {
  return { invitation: invitation && ownBytes(invitation), approval };
}

function packChange({ resetToken, ...change }: PasswordChange): PackedChange {
  return { ...change, resetToken: resetToken && ownBytes(resetToken) };
}

/** Which accounts a list has. */
interface Listed {
  readonly domain?: string | undefined;
  readonly containing?: string | undefined;
}

function prepareReads(db: Database.Database) {
  const list = db
    .prepare<[string, number], string>('SELECT jid FROM accounts WHERE jid > ? ORDER BY jid LIMIT ?')
    .pluck();
  const listDomain = db
    .prepare<[string, string, number], string>(
      'SELECT jid FROM accounts WHERE domain = ? AND jid > ? ORDER BY jid LIMIT ?',
    )
    .pluck();
  const search = db
    .prepare<[string, string, string | null, number], string>(
      'SELECT jid FROM accounts WHERE jid > ? AND instr(jid, ?) > 0 AND domain = ifnull(?, domain) ORDER BY jid LIMIT ?',
    )
    .pluck();
  const forwards = db.prepare<[string, number], Forward>(
    'SELECT jid, forward_to AS target FROM accounts WHERE forward_to IS NOT NULL AND jid > ? ORDER BY jid LIMIT ?',
  );
  const count = db.prepare<[], number>('SELECT count(*) FROM accounts').pluck();
  const countDomain = db.prepare<[string], number>('SELECT count(*) FROM accounts WHERE domain = ?').pluck();
  return {
    load: prepareLoad(db),
    credentials: prepareCredentials(db).read,
    list: ({ domain, containing }: Listed, after: string, limit: number): string[] => {
      if (containing !== undefined) return search.all(after, containing, domain ?? null, limit);
      return domain === undefined ? list.all(after, limit) : listDomain.all(domain, after, limit);
    },
    forwards: (after: string, limit: number): Forward[] => forwards.all(after, limit),
    count: (domain: string | undefined): number => (domain === undefined ? count.get() : countDomain.get(domain)) ?? 0,
  };
}

function prepareWrites(db: Database.Database) {
  const owners = prepareOwners(db);
  const credentials = prepareCredentials(db);
  const insert = prepareInsert(db, credentials.writeKeys);
  const lastSeen = db.prepare<[number, string, string]>(
    'UPDATE accounts SET last_seen_at_ms = ?, last_status = ? WHERE jid = ?',
  );
  const forward = db.prepare<[string | null, string]>('UPDATE accounts SET forward_to = ? WHERE jid = ?');
  const endAccess = prepareEndAccess(db);
  const admit = prepareAdmit(db);
  const noteRegistration = prepareNoteRegistration(db);
  const remove = prepareRemove(db);
  return {
    create: (account: PackedAccount, registration: PackedRegistration | undefined, nowMs: number): void => {
      if (registration) admit(account[0], registration, nowMs);
      if (!insert(account, nowMs)) throw new StorageError('conflict', `${JSON.stringify(account[0])} already exists`);
      if (registration) noteRegistration(account[0], registration, nowMs);
    },
    createMany: (accounts: readonly PackedAccount[], nowMs: number): string[] =>
      accounts.filter((account) => !insert(account, nowMs)).map(([jid]) => jid),
    setCredentials: (jid: string, packed: PackedCredentials): void => {
      credentials.replace(owners.need(jid), packed);
    },
    addKeys: credentials.addKeys,
    changePassword: (jid: string, packed: PackedCredentials, change: PackedChange, nowMs: number): void => {
      const id = owners.need(jid);
      credentials.replace(id, packed);
      endAccess(id, change, nowMs);
    },
    remove,
    setLastSeen: (jid: string, { atMs, status }: LastSeen): void => {
      if (lastSeen.run(atMs, status, jid).changes === 0) noAccount(jid);
    },
    setForward: (jid: string, target: string | undefined): void => {
      if (forward.run(target ?? null, jid).changes === 0) noAccount(jid);
    },
  };
}

/** Prepares a function that ends all access that rests on the old password of an account. */
function prepareEndAccess(db: Database.Database) {
  const newVersion = db.prepare<[number]>('UPDATE accounts SET password_version = password_version + 1 WHERE id = ?');
  const endSessions = db.prepare<[nowMs: number, account: number, keep: string | null]>(
    `UPDATE resumable_sessions SET ended_at_ms = coalesce(detached_at_ms, ?), state = '{}'
     WHERE account_id = ? AND ended_at_ms IS NULL AND key IS NOT ?`,
  );
  const removeTokens = db.prepare<[number]>(
    'DELETE FROM fast_tokens WHERE device_id IN (SELECT id FROM devices WHERE account_id = ?)',
  );
  const keepDevice = db.prepare<[number, string]>(
    `UPDATE devices SET password_version = (SELECT password_version FROM accounts WHERE id = account_id)
     WHERE account_id = ? AND key = ?`,
  );
  const useLink = db.prepare<[Uint8Array, number]>(
    "DELETE FROM invitations WHERE token_hash = ? AND account_id = ? AND kind = 'reset'",
  );
  const removeLinks = db.prepare<[number]>("DELETE FROM invitations WHERE account_id = ? AND kind = 'reset'");
  return (account: number, { session, device, resetToken }: PackedChange, nowMs: number): void => {
    if (resetToken !== undefined && useLink.run(resetToken, account).changes === 0) noInvitation();
    newVersion.run(account);
    endSessions.run(nowMs, account, session ?? null);
    removeTokens.run(account);
    removeLinks.run(account);
    if (device !== undefined) keepDevice.run(account, device);
  };
}

/** Prepares a function that checks whether a user may register an address, and uses the invitation. */
function prepareAdmit(db: Database.Database) {
  const isReserved = prepareReserved(db);
  const removed = prepareRemovedAccounts(db);
  const use = prepareUse(db);
  return (jid: string, { invitation }: PackedRegistration, nowMs: number): void => {
    if (isReserved(jid, nowMs, invitation))
      throw new StorageError('conflict', `${JSON.stringify(jid)} is reserved for an invitation`);
    const isInvitedByName = invitation !== undefined && isReserved(jid, nowMs, undefined);
    if (!isInvitedByName && removed.has(jid, nowMs))
      throw new StorageError('conflict', `${JSON.stringify(jid)} has belonged to somebody else`);
    if (invitation !== undefined && !use(invitation)) noInvitation();
  };
}

/** Prepares a function that notes that the user of a new account has registered it, and whether it waits for approval. */
function prepareNoteRegistration(db: Database.Database) {
  const registered = db.prepare<[number, string]>('UPDATE accounts SET registered_at_ms = ? WHERE jid = ?');
  const wait = db.prepare<[string, number, string | null, number | null]>(
    `INSERT INTO suspensions (account_id, at_ms, reason, remove_at_ms, awaits_approval)
     VALUES ((SELECT id FROM accounts WHERE jid = ?), ?, ?, ?, 1)`,
  );
  return (jid: string, { approval }: PackedRegistration, nowMs: number): void => {
    registered.run(nowMs, jid);
    if (approval) wait.run(jid, approval.atMs, approval.reason ?? null, approval.removeAtMs ?? null);
  };
}

/** Prepares a function that removes an account and reserves its address; one that nobody has used yet is free again. */
function prepareRemove(db: Database.Database) {
  const waits = db
    .prepare<[string], number>(
      'SELECT awaits_approval FROM suspensions JOIN accounts ON accounts.id = account_id WHERE jid = ?',
    )
    .pluck();
  const remove = db.prepare<[string]>('DELETE FROM accounts WHERE jid = ?');
  const removed = prepareRemovedAccounts(db);
  return (jid: string, nowMs: number): boolean => {
    const wasUsed = waits.get(jid) !== 1;
    if (remove.run(jid).changes === 0) return false;
    if (wasUsed) removed.add(jid, nowMs);
    return true;
  };
}

function noInvitation(): never {
  throw new StorageError('not-found', 'Nothing is left of the invitation');
}

/** Prepares a function that creates one account and returns whether it was new. */
function prepareInsert(db: Database.Database, writeKeys: (id: number, packed: PackedCredentials) => void) {
  const insert = db
    .prepare<{ jid: string; domain: string; bcrypt: string | null; nowMs: number }, number>(
      `INSERT INTO accounts (jid, domain, created_at_ms, bcrypt, roster_version, roster_floor, password_version)
       VALUES (@jid, @domain, @nowMs, @bcrypt, @nowMs, @nowMs, @nowMs) ON CONFLICT (jid) DO NOTHING RETURNING id`,
    )
    .pluck();
  const addArchive = db.prepare<[number]>('INSERT INTO archives (account_id) VALUES (?)');
  const adoptArchive = db.prepare<[number, number]>(
    'UPDATE archives SET account_id = ? WHERE id = ? AND account_id IS NULL',
  );
  const removed = prepareRemovedAccounts(db);
  return ([jid, domain, credentials, archive]: PackedAccount, nowMs: number): boolean => {
    const id = insert.get({ jid, domain, bcrypt: credentials.bcrypt, nowMs });
    if (id === undefined) return false;
    removed.forget(jid);
    writeKeys(id, credentials);
    if (archive === undefined || adoptArchive.run(id, archive).changes === 0) addArchive.run(id);
    return true;
  };
}
