import type { Jid } from '../protocol/jid.ts';
import type { Account } from './account.ts';

/**
 * Whether `observer` may know if, where and how the account is online.
 * Every part of the server that could reveal presence asks here and nowhere else (RFC 6121 §11, RFC 6120 §13.10.2).
 */
export function maySeePresence(account: Account, observer: Jid): boolean {
  return observer.bare().equals(account.jid) || account.roster.isSubscriber(observer);
}
