import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from './account.ts';
import type { IqRequest } from './extension.ts';
import type { Session } from './session.ts';

/**
 * Whether `observer` may see the presence of the account. Every part of the server that could reveal presence calls this function
 * (RFC 6121 §11, RFC 6120 §13.10.2).
 */
export function maySeePresence(account: Account, observer: Jid): boolean {
  return observer.bare().equals(account.jid) || account.roster.isSubscriber(observer);
}

/**
 * The account of a request, if the requester may see its presence. Throws the error for an address without an account otherwise, so that
 * a requester cannot learn which accounts exist (RFC 6120 §13.10.2, RFC 6121 §8.5.1).
 */
export function accountShownTo({ account, from }: Pick<IqRequest, 'account' | 'from'>): Account {
  if (!account || !maySeePresence(account, from)) throw StanzaError.serviceUnavailable();
  return account;
}

/**
 * Whether the session has shown itself to `observer`: the observer may see presence, or the session has sent directed
 * presence, a message or a request to one of the observer's addresses.
 */
export function showsItself({ account, presence }: Session, observer: Jid): boolean {
  if (maySeePresence(account, observer) || presence.writtenTo.has(observer)) return true;
  // A session joins a room by one address of the room, and other occupants ask it from theirs.
  const room = observer.bare();
  for (const told of presence.directed.values()) if (told.bare().equals(room)) return true;
  return false;
}

/** Remembers that the session shows itself by a message or a request to an address that may not see its presence. */
export function rememberWrittenTo({ account, presence }: Session, { kind, type }: Stanza, to: Jid): void {
  if (type === 'error' || (kind === 'iq' && type === 'result')) return;
  if (!presence.writtenTo.has(to) && !maySeePresence(account, to)) presence.writtenTo.add(to);
}
