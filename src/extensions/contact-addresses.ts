import { ns } from '../protocol/namespaces.ts';
import type { Extension } from '../routing/extension.ts';

/** URIs for reaching the operator, by purpose. */
export type ContactAddresses = Readonly<
  Record<'abuse' | 'admin' | 'feedback' | 'sales' | 'security' | 'status' | 'support', readonly string[]>
>;

/** Contact Addresses for XMPP Services (XEP-0157): a form in the domain's disco#info. */
export function contactAddresses(addresses: ContactAddresses): Extension {
  const fields = Object.entries(addresses)
    .filter(([, values]) => values.length > 0)
    .map(([purpose, values]) => ({ var: `${purpose}-addresses`, type: 'list-multi' as const, values }));
  return {
    name: 'contact-addresses',
    claims: [
      { spec: 'XEP-0157', title: 'Contact Addresses for XMPP Services', version: '1.1.1', status: 'complete' },
      { spec: 'XEP-0128', title: 'Service Discovery Extensions', version: '1.0.1', status: 'complete' },
    ],
    disco: { domainForms: fields.length === 0 ? [] : [{ type: 'result', formType: ns.serverInfo, fields }] },
  };
}
