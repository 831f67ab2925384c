import { randomFillSync } from 'node:crypto';

const idBytes = 16;
/** Random bytes for many ids, because drawing them for single ids takes many times as long. */
const drawn = Buffer.alloc(256 * idBytes);
let used = drawn.length;

/** 128 random bits as 22 characters: for stream ids, stanza ids, resources and tokens that must not be guessable. */
export function randomId(): string {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += idBytes;
  return drawn.toString('base64url', used - idBytes, used);
}
