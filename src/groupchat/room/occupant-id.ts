import { createHmac } from 'node:crypto';
import type { Jid } from '../../protocol/jid.ts';

/** The id of a user in one room: the same under every nickname, and without a trace of the JID (XEP-0421 §3). */
export function occupantIdOf(user: Jid, key: Buffer): string {
  return createHmac('sha256', key).update(user.bare().toString()).digest('base64url');
}
