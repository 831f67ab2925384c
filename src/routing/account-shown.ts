import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from './account.ts';
import type { IqRequest } from './extension.ts';
import { maySeePresence } from './presence-access.ts';

/**
 * The account a request asks about, for those who may see its presence. For everybody else it throws the error that
 * writing to no account gives, so that nobody can tell who exists (RFC 6120 §13.10.2, RFC 6121 §8.5.1).
 */
export function accountShownTo({ account, from }: Pick<IqRequest, 'account' | 'from'>): Account {
  if (!account || !maySeePresence(account, from)) throw StanzaError.serviceUnavailable();
  return account;
}
