import type { Jid } from '../protocol/jid.ts';
import type { Account } from './account.ts';
import type { Session } from './session.ts';

/**
 * Whether `observer` may know if, where and how the account is online.
 * Every part of the server that could reveal presence asks here and nowhere else (RFC 6121 §11, RFC 6120 §13.10.2).
 */
export function maySeePresence(account: Account, observer: Jid): boolean {
  return observer.bare().equals(account.jid) || account.roster.isSubscriber(observer);
}

/** Whether the session shows itself to `observer`: to those who may see presence, and to those it has sent directed presence. */
export function showsItself({ account, presence }: Session, observer: Jid): boolean {
  if (maySeePresence(account, observer)) return true;
  // Who has gone into a room by one address is asked by others of the room.
  const room = observer.bare();
  for (const told of presence.directed.values()) if (told.bare().equals(room)) return true;
  return false;
}
