import { Jid } from '../../../protocol/jid.ts';
import { ifAddress, jidOrNothing } from '../../../protocol/jid-or-nothing.ts';
import { SaslFailure } from '../../../protocol/sasl-failure.ts';
import { prepare } from './saslprep.ts';

/** The account a user name means on this domain; a name no account can have is not authorized. */
export function accountOf(username: string, domain: string): Jid {
  const prepared = prepare(username, 'query');
  const account = prepared && ifAddress(() => Jid.from(prepared, domain));
  if (!account) throw SaslFailure.notAuthorized();
  return account;
}

/** Refuses to act for anybody but the account itself (RFC 6120 §6.3.8): an empty authzid means the account. */
export function requireOwnAuthzid(authzid: string, account: Jid): void {
  if (authzid === '') return;
  const wanted = jidOrNothing(authzid);
  if (!wanted?.equals(account)) throw SaslFailure.invalidAuthzid();
}
