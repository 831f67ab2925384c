import type Database from 'better-sqlite3';
import type { AccountCredentials, Credentials, ScramHash, ScramKeys } from '../../accounts.ts';
import { asBuffer, ownBytes } from '../bytes.ts';

/** SCRAM keys as sent between threads: hash, salt, iterations, stored key, server key. */
type PackedScramKeys = readonly [
  hash: ScramHash,
  salt: Uint8Array,
  iterations: number,
  storedKey: Uint8Array,
  serverKey: Uint8Array,
];

/** Credentials as sent between threads. */
export interface PackedCredentials {
  readonly scram: readonly PackedScramKeys[];
  readonly bcrypt: string | null;
}

/** The credentials of an account as sent between threads. */
interface PackedAccountCredentials extends PackedCredentials {
  readonly passwordVersion: number;
}

const scramHashes: readonly ScramHash[] = ['SHA-1', 'SHA-256', 'SHA-512'];

export function packCredentials({ scram, bcrypt }: Credentials): PackedCredentials {
  const packed: PackedScramKeys[] = [];
  for (const hash of scramHashes) {
    const keys = scram[hash];
    if (keys !== undefined) packed.push(packKeys(hash, keys));
  }
  return { scram: packed, bcrypt: bcrypt ?? null };
}

export function packKeys(hash: ScramHash, { salt, iterations, storedKey, serverKey }: ScramKeys): PackedScramKeys {
  return [hash, ownBytes(salt), iterations, ownBytes(storedKey), ownBytes(serverKey)];
}

export function unpackCredentials(packed: PackedAccountCredentials | undefined): AccountCredentials | undefined {
  if (packed === undefined) return undefined;
  const scram: Partial<Record<ScramHash, ScramKeys>> = {};
  for (const [hash, salt, iterations, storedKey, serverKey] of packed.scram) {
    scram[hash] = { salt: asBuffer(salt), iterations, storedKey: asBuffer(storedKey), serverKey: asBuffer(serverKey) };
  }
  const { bcrypt, passwordVersion } = packed;
  return bcrypt === null ? { scram, passwordVersion } : { scram, bcrypt, passwordVersion };
}

/** Prepares reading and writing the credentials of accounts. */
export function prepareCredentials(db: Database.Database) {
  // Unordered: with an ORDER BY, SQLite would prepare the statement again for every account.
  const keysOf = db
    .prepare<[number], PackedScramKeys>(
      'SELECT hash, salt, iterations, stored_key, server_key FROM credentials WHERE account_id = ?',
    )
    .raw();
  const account = db.prepare<[string], { id: number; bcrypt: string | null; passwordVersion: number }>(
    'SELECT id, bcrypt, password_version AS passwordVersion FROM accounts WHERE jid = ?',
  );
  const insertKeys =
    'INSERT INTO credentials (account_id, hash, salt, iterations, stored_key, server_key) VALUES (?, ?, ?, ?, ?, ?)';
  const putKeys = db.prepare<[number, ...PackedScramKeys]>(insertKeys);
  const addKeys = db.prepare<[number, ...PackedScramKeys]>(`${insertKeys} ON CONFLICT DO NOTHING`);
  const dropKeys = db.prepare<[number]>('DELETE FROM credentials WHERE account_id = ?');
  const setBcrypt = db.prepare<[string | null, number]>('UPDATE accounts SET bcrypt = ? WHERE id = ?');
  const writeKeys = (id: number, { scram }: PackedCredentials): void => {
    for (const keys of scram) putKeys.run(id, ...keys);
  };
  return {
    read: (jid: string): PackedAccountCredentials | undefined => {
      const found = account.get(jid);
      if (found === undefined) return undefined;
      const { id, bcrypt, passwordVersion } = found;
      return { scram: keysOf.all(id), bcrypt, passwordVersion };
    },
    writeKeys,
    addKeys: (jid: string, passwordVersion: number, keys: PackedScramKeys): void => {
      const found = account.get(jid);
      if (found?.passwordVersion === passwordVersion) addKeys.run(found.id, ...keys);
    },
    replace: (id: number, packed: PackedCredentials): void => {
      dropKeys.run(id);
      setBcrypt.run(packed.bcrypt, id);
      writeKeys(id, packed);
    },
  };
}
