import { Jid, JidError } from '../../../protocol/jid.ts';
import { SaslFailure } from '../../../protocol/sasl-failure.ts';
import { prepare } from './saslprep.ts';

/** The account a user name means on this domain; a name no account can have is not authorized. */
export function accountOf(username: string, domain: string): Jid {
  const prepared = prepare(username, 'query');
  const account = prepared && jidOrUndefined(() => Jid.from(prepared, domain));
  if (!account) throw SaslFailure.notAuthorized();
  return account;
}

/** Refuses to act for anybody but the account itself (RFC 6120 §6.3.8): an empty authzid means the account. */
export function requireOwnAuthzid(authzid: string, account: Jid): void {
  if (authzid === '') return;
  const wanted = jidOrUndefined(() => Jid.parse(authzid));
  if (!wanted?.equals(account)) throw SaslFailure.invalidAuthzid();
}

function jidOrUndefined(make: () => Jid): Jid | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}
