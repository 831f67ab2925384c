import type { Jid } from '../../protocol/jid.ts';
import type { Account } from '../../routing/account.ts';

/**
 * Whether an address matches a block list, in one of the four ways of XEP-0191 §6. The user's own resources and the server itself never
 * match, because they cannot be blocked (XEP-0191 §5).
 */
export function isListed(list: ReadonlySet<string>, jid: Jid, { jid: own }: Account): boolean {
  if (list.size === 0 || jid.bare().equals(own) || jid.toString() === own.domain) return false;
  return list.has(jid.toString()) || list.has(jid.bare().toString()) || list.has(jid.domain);
}
