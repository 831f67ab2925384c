import type Database from 'better-sqlite3';
import type { Credentials, ScramHash, ScramKeys } from '../../accounts.ts';
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

const scramHashes: readonly ScramHash[] = ['SHA-1', 'SHA-256', 'SHA-512'];

export function packCredentials({ scram, bcrypt }: Credentials): PackedCredentials {
  const packed: PackedScramKeys[] = [];
  for (const hash of scramHashes) {
    const keys = scram[hash];
    if (keys === undefined) continue;
    packed.push([hash, ownBytes(keys.salt), keys.iterations, ownBytes(keys.storedKey), ownBytes(keys.serverKey)]);
  }
  return { scram: packed, bcrypt: bcrypt ?? null };
}

export function unpackCredentials(packed: PackedCredentials | undefined): Credentials | undefined {
  if (packed === undefined) return undefined;
  const scram: Partial<Record<ScramHash, ScramKeys>> = {};
  for (const [hash, salt, iterations, storedKey, serverKey] of packed.scram) {
    scram[hash] = { salt: asBuffer(salt), iterations, storedKey: asBuffer(storedKey), serverKey: asBuffer(serverKey) };
  }
  return packed.bcrypt === null ? { scram } : { scram, bcrypt: packed.bcrypt };
}

/** Prepares reading and writing the credentials of an account, by its row id. */
export function prepareCredentials(db: Database.Database) {
  // Unordered: with an ORDER BY, SQLite would prepare the statement again for every account.
  const keysOf = db
    .prepare<[number], PackedScramKeys>(
      'SELECT hash, salt, iterations, stored_key, server_key FROM credentials WHERE account_id = ?',
    )
    .raw();
  const bcryptOf = db.prepare<[number], string | null>('SELECT bcrypt FROM accounts WHERE id = ?').pluck();
  const putKeys = db.prepare<[number, ...PackedScramKeys]>(
    `INSERT INTO credentials (account_id, hash, salt, iterations, stored_key, server_key) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const dropKeys = db.prepare<[number]>('DELETE FROM credentials WHERE account_id = ?');
  const setBcrypt = db.prepare<[string | null, number]>('UPDATE accounts SET bcrypt = ? WHERE id = ?');
  const writeKeys = (id: number, { scram }: PackedCredentials): void => {
    for (const keys of scram) putKeys.run(id, ...keys);
  };
  return {
    read: (id: number): PackedCredentials => ({ scram: keysOf.all(id), bcrypt: bcryptOf.get(id) ?? null }),
    writeKeys,
    replace: (id: number, packed: PackedCredentials): void => {
      dropKeys.run(id);
      setBcrypt.run(packed.bcrypt, id);
      writeKeys(id, packed);
    },
  };
}
