import type { Jid } from '../../../protocol/jid.ts';

/** Addresses an operator has listed: a domain stands for all its addresses, a bare JID for all its resources. */
export type AddressList = ReadonlySet<string>;

/** Whether the list has the address, or what the address belongs to. */
export function isListed(list: AddressList, jid: Jid): boolean {
  return list.has(jid.toString()) || list.has(jid.bare().toString()) || list.has(jid.domain);
}
