import { randomBytes } from 'node:crypto';

/** 128 random bits as 22 characters: for stream ids, stanza ids, resources and tokens that nobody may guess. */
export function randomId(): string {
  return randomBytes(16).toString('base64url');
}
