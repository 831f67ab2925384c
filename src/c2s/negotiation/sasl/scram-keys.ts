import { createHash, createHmac, createSecretKey, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { ScramHash, ScramKeys } from '../../../storage/accounts.ts';

const pbkdf2InThreadPool = promisify(pbkdf2);

const digests = {
  'SHA-1': { name: 'sha1', byteLength: 20 },
  'SHA-256': { name: 'sha256', byteLength: 32 },
  'SHA-512': { name: 'sha512', byteLength: 64 },
} as const satisfies Record<ScramHash, { name: string; byteLength: number }>;

/** Every hash an account keeps keys for. */
export const scramHashes: readonly ScramHash[] = ['SHA-1', 'SHA-256', 'SHA-512'];

/** Bytes of a salt, real or imagined. */
export const saltByteLength = 16;

/** Bytes of a key of this hash. */
export function keyByteLength(hash: ScramHash): number {
  return digests[hash].byteLength;
}

/** The hash of some text, for what SCRAM itself does not define. */
export function digest(hash: ScramHash, text: string | Buffer): Buffer {
  return createHash(digests[hash].name).update(text).digest();
}

/** Computes what is stored for a prepared password (RFC 5802 §3), off the main thread. */
export async function deriveKeys(
  password: string,
  hash: ScramHash,
  salt: Buffer,
  iterations: number,
): Promise<ScramKeys> {
  const { name, byteLength } = digests[hash];
  const salted = await pbkdf2InThreadPool(password, salt, iterations, byteLength, name);
  return keysOfSalted(hash, salted, salt, iterations);
}

/** The keys for a SaltedPassword (RFC 5802 §3). */
export function keysOfSalted(hash: ScramHash, salted: Buffer, salt: Buffer, iterations: number): ScramKeys {
  const storedKey = digest(hash, hmac(hash, salted, 'Client Key'));
  return { salt, iterations, storedKey, serverKey: hmac(hash, salted, 'Server Key') };
}

/** Whether the client has shown that it knows the password (RFC 5802 §3). */
export function provesPassword(hash: ScramHash, keys: ScramKeys, authMessage: string, proof: Buffer): boolean {
  if (proof.length !== keyByteLength(hash)) return false;
  const signature = hmac(hash, keys.storedKey, authMessage);
  const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (signature[index] ?? 0)));
  return sameSecret(digest(hash, clientKey), keys.storedKey);
}

/** What shows the client that the server knows it too (RFC 5802 §3). */
export function serverSignature(hash: ScramHash, keys: ScramKeys, authMessage: string): Buffer {
  return hmac(hash, keys.serverKey, authMessage);
}

/** Compares two secrets in a time that does not depend on where they differ. */
export function sameSecret(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function hmac(hash: ScramHash, key: Buffer, text: string): Buffer {
  // Given the bytes, createHmac takes five times as long to make a key of them.
  return createHmac(digests[hash].name, createSecretKey(key)).update(text).digest();
}
