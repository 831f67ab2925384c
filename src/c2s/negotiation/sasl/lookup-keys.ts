import { randomBytes } from 'node:crypto';
import type { Jid } from '../../../protocol/jid.ts';
import type { ScramHash, ScramKeys } from '../../../storage/accounts.ts';
import type { CredentialSource } from './mechanism.ts';
import { keyByteLength } from './scram-keys.ts';

/** Keys to check a proof against, and whether any proof may be accepted. */
export interface KeyLookup {
  readonly keys: ScramKeys;
  readonly real: boolean;
  /** The version of the credentials that were looked at. */
  readonly version: number;
}

/** The account's keys for a hash, or imagined ones, so that nobody learns which accounts exist. */
export async function lookupKeys(source: CredentialSource, account: Jid, hash: ScramHash): Promise<KeyLookup> {
  // Imagined whether needed or not: the time this takes must not tell either.
  const imagined = imaginedKeys(source, account, hash);
  // Before: what changes while they are read counts as changed.
  const version = source.version();
  const keys = (await source.find(account))?.scram[hash];
  return { keys: keys ?? imagined, real: keys !== undefined, version };
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
