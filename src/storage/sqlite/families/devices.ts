import type Database from 'better-sqlite3';
import type { DeviceStore, FastToken, FastTokenUse, KnownDevice, NewFastToken, SeenDevice } from '../../devices.ts';
import { asBuffer, ownBytes } from '../bytes.ts';
import { defineFamily, type OperationsOf, type StoreContext } from '../family.ts';
import { prepareOwners } from './owners.ts';

/** Devices of one account that are remembered; beyond that, the one that was seen longest ago is forgotten. */
const maxDevices = 100;

/** A token as sent between threads. */
type Packed<Token extends NewFastToken> = Omit<Token, 'secret'> & { readonly secret: Uint8Array };

/** The use of a token as sent to the storage thread. */
type PackedUse = Omit<FastTokenUse, 'next'> & { readonly next?: Packed<NewFastToken> | undefined };

/** A device as sent between threads: SQLite knows no booleans. */
type PackedDevice = Omit<KnownDevice, 'knowsPassword' | 'hasToken' | 'software' | 'name'> & {
  readonly software: string | null;
  readonly name: string | null;
  readonly knowsPassword: 0 | 1;
  readonly hasToken: 0 | 1;
};

/** The devices of accounts, and their tokens. */
export const devices = defineFamily({
  name: 'devices',
  prepare: prepareDevices,
  // A device with a token can log in on a full disk, and its token can be replaced.
  adds: ['seen', 'issueToken'],
  store: deviceStore,
});

function deviceStore({ run }: StoreContext<OperationsOf<typeof prepareDevices>>): DeviceStore {
  return {
    seen: (devices) => run('seen', devices),
    tokens: async (owner, key) => (await run('tokens', owner, key)).map(unpackToken),
    issueToken: (device, token) => run('issueToken', device, packToken(token)),
    useToken: (device, { next, ...use }) => run('useToken', device, { ...use, next: next && packToken(next) }),
    list: async (owner, nowMs) => (await run('list', owner, nowMs)).map(unpackDevice),
    revoke: (owner, key) => run('revoke', owner, key),
  };
}

function packToken({ mechanism, secret, issuedAtMs, expiresAtMs }: NewFastToken): Packed<NewFastToken> {
  return { mechanism, secret: ownBytes(secret), issuedAtMs, expiresAtMs };
}

function unpackToken({ secret, ...token }: Packed<FastToken>): FastToken {
  return { ...token, secret: asBuffer(secret) };
}

function unpackDevice({ software, name, knowsPassword, hasToken, ...device }: PackedDevice): KnownDevice {
  return {
    ...device,
    software: software ?? undefined,
    name: name ?? undefined,
    knowsPassword: knowsPassword === 1,
    hasToken: hasToken === 1,
  };
}

function prepareDevices(db: Database.Database) {
  const owners = prepareOwners(db);
  const see = prepareSee(db);
  return {
    reads: prepareReads(db),
    writes: {
      seen: (devices: readonly SeenDevice[]): void => {
        for (const device of devices) {
          const account = owners.find(device.owner);
          if (account !== undefined) see(account, device);
        }
      },
      ...prepareTokenWrites(db, see),
      revoke: prepareRevoke(db),
    },
  };
}

function prepareReads(db: Database.Database) {
  const tokens = db.prepare<[string, string], Packed<FastToken>>(
    `SELECT t.id, t.mechanism, t.secret, t.issued_at_ms AS issuedAtMs, t.expires_at_ms AS expiresAtMs
     FROM accounts a JOIN devices d ON d.account_id = a.id JOIN fast_tokens t ON t.device_id = d.id
     WHERE a.jid = ? AND d.key = ? ORDER BY t.id DESC`,
  );
  const list = db.prepare<[number, string], PackedDevice>(
    `SELECT d.key, d.software, d.name, d.first_seen_ms AS firstSeenMs, d.last_seen_ms AS lastSeenMs,
       d.password_version IS a.password_version AS knowsPassword,
       EXISTS (SELECT 1 FROM fast_tokens t WHERE t.device_id = d.id AND t.expires_at_ms > ?) AS hasToken
     FROM accounts a JOIN devices d ON d.account_id = a.id WHERE a.jid = ? ORDER BY d.last_seen_ms DESC, d.id DESC`,
  );
  return {
    tokens: (owner: string, key: string): Packed<FastToken>[] => tokens.all(owner, key),
    list: (owner: string, nowMs: number): PackedDevice[] => list.all(nowMs, owner),
  };
}

/** Records that a device of an account is in use. Returns its row id, or undefined if it is not remembered. */
type See = (account: number, device: SeenDevice) => number | undefined;

function prepareSee(db: Database.Database): See {
  const update = db
    .prepare<[string | null, string | null, number, number, number | null, number, string], number>(
      `UPDATE devices SET software = coalesce(?, software), name = coalesce(?, name), last_seen_ms = max(last_seen_ms, ?),
         keep_until_ms = max(keep_until_ms, ?), password_version = coalesce(?, password_version)
       WHERE account_id = ? AND key = ? RETURNING id`,
    )
    .pluck();
  const insert = db.prepare<[number, string, string | null, string | null, number, number, number, number | null]>(
    `INSERT INTO devices (account_id, key, software, name, first_seen_ms, last_seen_ms, keep_until_ms, password_version)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const forget = db.prepare<[number]>('DELETE FROM devices WHERE keep_until_ms < ?');
  const trim = db.prepare<[number, number]>(
    `DELETE FROM devices WHERE id IN
       (SELECT id FROM devices WHERE account_id = ? ORDER BY last_seen_ms DESC, id DESC LIMIT -1 OFFSET ?)`,
  );
  return (account, { key, software = null, name = null, atMs, keepUntilMs, passwordVersion = null }) => {
    const known = update.get(software, name, atMs, keepUntilMs, passwordVersion, account, key);
    if (known !== undefined || passwordVersion === null) return known;
    forget.run(atMs);
    const added = insert.run(account, key, software, name, atMs, atMs, keepUntilMs, passwordVersion);
    trim.run(account, maxDevices);
    return Number(added.lastInsertRowid);
  };
}

function prepareTokenWrites(db: Database.Database, see: See) {
  const ofVersion = db
    .prepare<[string, number], number>('SELECT id FROM accounts WHERE jid = ? AND password_version = ?')
    .pluck();
  const use = db.prepare<
    { id: number; count: number | null; owner: string; key: string },
    { device: number; account: number }
  >(
    `UPDATE fast_tokens SET used = 1, count = coalesce(@count, count)
     FROM accounts a JOIN devices d ON d.account_id = a.id
     WHERE fast_tokens.id = @id AND (@count IS NULL OR count < @count)
       AND d.id = fast_tokens.device_id AND d.key = @key AND a.jid = @owner
     RETURNING device_id AS device, (SELECT account_id FROM devices WHERE id = device_id) AS account`,
  );
  const removeOlder = db.prepare<[number, number]>('DELETE FROM fast_tokens WHERE device_id = ? AND id < ?');
  const remove = db.prepare<[number]>('DELETE FROM fast_tokens WHERE id = ?');
  const removeUnused = db.prepare<[number]>('DELETE FROM fast_tokens WHERE device_id = ? AND used = 0');
  const add = db.prepare<[number, string, Uint8Array, number, number]>(
    'INSERT INTO fast_tokens (device_id, mechanism, secret, issued_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const issue = (
    device: number | undefined,
    { mechanism, secret, issuedAtMs, expiresAtMs }: Packed<NewFastToken>,
  ): void => {
    if (device === undefined) return;
    removeUnused.run(device);
    add.run(device, mechanism, secret, issuedAtMs, expiresAtMs);
  };
  return {
    issueToken: (device: SeenDevice & { readonly passwordVersion: number }, token: Packed<NewFastToken>): boolean => {
      const account = ofVersion.get(device.owner, device.passwordVersion);
      if (account === undefined) return false;
      issue(see(account, device), token);
      return true;
    },
    useToken: (device: SeenDevice, { id, count, invalidate, next }: PackedUse): boolean => {
      const { owner, key } = device;
      const used = use.get({ id, count: count ?? null, owner, key });
      if (used === undefined) return false;
      see(used.account, device);
      removeOlder.run(used.device, id);
      if (invalidate) remove.run(id);
      if (next) issue(used.device, next);
      return true;
    },
  };
}

function prepareRevoke(db: Database.Database) {
  const find = db.prepare<[string, string], { id: number; knowsPassword: 0 | 1 }>(
    `SELECT d.id, d.password_version IS a.password_version AS knowsPassword
     FROM accounts a JOIN devices d ON d.account_id = a.id WHERE a.jid = ? AND d.key = ?`,
  );
  const removeTokens = db.prepare<[number]>('DELETE FROM fast_tokens WHERE device_id = ?');
  const remove = db.prepare<[number]>('DELETE FROM devices WHERE id = ?');
  const removePush = db.prepare<[string, string]>(
    'DELETE FROM push_registrations WHERE account_id = (SELECT id FROM accounts WHERE jid = ?) AND device = ?',
  );
  return (owner: string, key: string): { knowsPassword: boolean } | undefined => {
    removePush.run(owner, key);
    const device = find.get(owner, key);
    if (device === undefined) return undefined;
    const knowsPassword = device.knowsPassword === 1;
    if (knowsPassword) removeTokens.run(device.id);
    else remove.run(device.id);
    return { knowsPassword };
  };
}
