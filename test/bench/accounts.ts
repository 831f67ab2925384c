import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** The domain every server serves. */
export const domain = 'perf.test';
/** Accounts u0, u1, ... exist on every server. */
export const accountCount = 10_600;
/** The password of all. */
export const password = 'pw';
/** As few as RFC 5802 §5.1 allows, and the same everywhere. */
export const iterations = 4096;

/** What a server keeps of a password for SCRAM-SHA-1. */
export interface Verifier {
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** The local parts of all accounts. */
export function accountNames(): string[] {
  return Array.from({ length: accountCount }, (_, index) => `u${index}`);
}

/** One verifier serves all accounts: they have the same password (RFC 5802 §3). */
export function scramVerifier(): Verifier {
  const salt = createHash('sha1').update(domain).digest();
  const salted = pbkdf2Sync(password, salt, iterations, 20, 'sha1');
  const clientKey = createHmac('sha1', salted).update('Client Key').digest();
  const storedKey = createHash('sha1').update(clientKey).digest();
  const serverKey = createHmac('sha1', salted).update('Server Key').digest();
  return { salt, storedKey, serverKey };
}
