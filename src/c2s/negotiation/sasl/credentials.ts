import { randomBytes } from 'node:crypto';
import type { Credentials, ScramHash, ScramKeys } from '../../../storage/accounts.ts';
import { prepare } from './saslprep.ts';
import { deriveKeys, saltByteLength, scramHashes } from './scram-keys.ts';

/** Long enough for any passphrase, short enough to fit every mechanism's message. */
const maxPasswordBytes = 1024;

/** Says why a password cannot be used; the message may be shown to the user. */
export class PasswordError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PasswordError';
  }
}

/** Makes the keys of all SCRAM hashes for a new password; throws {@link PasswordError} if it cannot be one. */
export async function deriveCredentials(password: string, iterations: number): Promise<Credentials> {
  const prepared = prepareNewPassword(password);
  const scram: Partial<Record<ScramHash, ScramKeys>> = {};
  // One after the other: a whole set must not take more than one thread.
  for (const hash of scramHashes) {
    scram[hash] = await deriveKeys(prepared, hash, randomBytes(saltByteLength), iterations);
  }
  return { scram };
}

/** The form of a password that is hashed; throws {@link PasswordError} for one no client could send. */
function prepareNewPassword(password: string): string {
  if (password === '') throw new PasswordError('The password is empty.');
  if (Buffer.byteLength(password) > maxPasswordBytes) {
    throw new PasswordError(`The password is longer than ${maxPasswordBytes} bytes.`);
  }
  const prepared = prepare(password, 'stored');
  if (!prepared) throw new PasswordError('The password holds characters that cannot be used in passwords (RFC 4013).');
  return prepared;
}
