import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Jid } from '../../protocol/jid.ts';

/** The keys of rooms as the HMAC takes them: to make one takes longer than the HMAC itself. */
const keys = new WeakMap<Buffer, KeyObject>();

/** The id of a user in one room: the same under every nickname, and without a trace of the JID (XEP-0421 §3). */
export function occupantIdOf(user: Jid, key: Buffer): string {
  const made = keys.get(key) ?? createSecretKey(key);
  keys.set(key, made);
  return createHmac('sha256', made).update(user.bare().toString()).digest('base64url');
}
