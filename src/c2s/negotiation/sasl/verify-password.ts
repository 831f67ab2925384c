import type { Jid } from '../../../protocol/jid.ts';
import type { AccountCredentials, Credentials, ScramHash, ScramKeys } from '../../../storage/accounts.ts';
import { fitsBcrypt } from './bcrypt-comparison.ts';
import { deriveCredentials, PasswordError } from './credentials.ts';
import { imaginedKeys } from './lookup-keys.ts';
import type { CredentialSource } from './mechanism.ts';
import { prepare } from './saslprep.ts';
import { deriveKeys, sameSecret } from './scram-keys.ts';

/** Cheapest first among those that are strong: any of an account's keys will do. */
const preferred: readonly ScramHash[] = ['SHA-256', 'SHA-512', 'SHA-1'];

/**
 * Checks a password in the clear; costs the same for an unknown account as for a wrong password. Resolves with the credentials that it
 * fits, which include keys that were made from it.
 */
export async function verifyPassword(
  source: CredentialSource,
  account: Jid,
  password: string,
): Promise<AccountCredentials | undefined> {
  const imagined = imaginedKeys(source, account, 'SHA-256');
  const credentials = await source.find(account);
  const hash = preferred.find((name) => credentials?.scram[name]);
  const keys = hash && credentials?.scram[hash];
  if (hash && keys) return (await fits(password, hash, keys)) ? credentials : undefined;
  if (credentials?.bcrypt) return verifyImported(source, account, password, credentials);
  await fits(password, 'SHA-256', imagined);
  return undefined;
}

async function fits(password: string, hash: ScramHash, keys: ScramKeys): Promise<boolean> {
  const prepared = prepare(password, 'query');
  if (!prepared) return false;
  const { storedKey } = await deriveKeys(prepared, hash, keys.salt, keys.iterations);
  return sameSecret(storedKey, keys.storedKey);
}

/** Checks a password against a hash brought from another server and, if it fits, makes SCRAM keys to replace the hash. */
async function verifyImported(
  source: CredentialSource,
  account: Jid,
  password: string,
  imported: AccountCredentials,
): Promise<AccountCredentials | undefined> {
  const { bcrypt = '', passwordVersion } = imported;
  if (!(await fitsBcrypt(password, bcrypt))) return undefined;
  // bcrypt looks at 72 bytes only: what follows was not verified and must not become part of the new keys.
  if (Buffer.byteLength(password) > 72) return imported;
  const credentials = await newKeys(password, source.iterations);
  // The password may have been changed meanwhile, and the new one must win.
  const unchanged = (await source.find(account))?.bcrypt === bcrypt;
  if (credentials && unchanged) await source.upgrade(account, credentials);
  return unchanged ? { ...(credentials ?? imported), passwordVersion } : undefined;
}

/** Undefined when the old server allowed a password that SCRAM does not. */
async function newKeys(password: string, iterations: number): Promise<Credentials | undefined> {
  try {
    return await deriveCredentials(password, iterations);
  } catch (error) {
    if (error instanceof PasswordError) return undefined;
    throw error;
  }
}
