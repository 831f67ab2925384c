import { randomBytes } from 'node:crypto';
import type { Jid } from '../../../protocol/jid.ts';
import type { AccountCredentials, ScramHash, ScramKeys } from '../../../storage/accounts.ts';
import type { CredentialSource } from './mechanism.ts';
import { keyByteLength } from './scram-keys.ts';

/** Keys to check a proof against. */
export interface KeyLookup {
  readonly keys: ScramKeys;
  /** The credentials that the keys are from. Absent for imagined keys: then no proof may be accepted. */
  readonly credentials: AccountCredentials | undefined;
  /** The version of the credentials that were looked at. */
  readonly version: number;
}

/** The account's keys for a hash, or imagined ones, so that nobody learns which accounts exist. */
export async function lookupKeys(source: CredentialSource, account: Jid, hash: ScramHash): Promise<KeyLookup> {
  // Imagined whether needed or not: the time this takes must not tell either.
  const imagined = imaginedKeys(source, account, hash);
  // Before: what changes while they are read counts as changed.
  const version = source.version();
  const credentials = await source.find(account);
  const keys = credentials?.scram[hash];
  return { keys: keys ?? imagined, credentials: keys && credentials, version };
}

/** Keys that look like those of an existing account and fit no password. */
export function imaginedKeys(source: CredentialSource, account: Jid, hash: ScramHash): ScramKeys {
  const key = () => randomBytes(keyByteLength(hash));
  return {
    salt: source.fakeSalt(account, hash),
    iterations: source.iterations,
    storedKey: key(),
    serverKey: key(),
  };
}
