import type { Jid } from '../../../protocol/jid.ts';

/** Addresses listed by the operator: a domain includes all its addresses, a bare JID all its resources. */
export type AddressList = ReadonlySet<string>;

/** Whether the list has the address, its bare JID or its domain. */
export function isListed(list: AddressList, jid: Jid): boolean {
  return list.has(jid.toString()) || list.has(jid.bare().toString()) || list.has(jid.domain);
}
