import { ns } from '../protocol/namespaces.ts';
import type { Extension } from '../routing/extension.ts';

const purposes = ['abuse', 'admin', 'feedback', 'sales', 'security', 'status', 'support'] as const;

/** URIs for reaching the operator, by purpose. */
export type ContactAddresses = Readonly<Record<(typeof purposes)[number], readonly string[]>>;

/** Contact Addresses for XMPP Services (XEP-0157): a form in the domain's disco#info. */
export function contactAddresses(addresses: ContactAddresses): Extension {
  const fields = purposes
    .map((purpose) => ({ var: `${purpose}-addresses`, type: 'list-multi' as const, values: addresses[purpose] }))
    .filter(({ values }) => values.length > 0);
  return {
    name: 'contact-addresses',
    claims: [
      { spec: 'XEP-0157', title: 'Contact Addresses for XMPP Services', version: '1.1.1', status: 'complete' },
      { spec: 'XEP-0128', title: 'Service Discovery Extensions', version: '1.0.1', status: 'complete' },
    ],
    disco: { domainForms: fields.length === 0 ? [] : [{ type: 'result', formType: ns.serverInfo, fields }] },
  };
}

/** Service Outage Status (XEP-0455): files on other machines that tell clients why they do not reach the server. */
export function outageStatus(addresses: readonly string[]): Extension {
  const fields = [{ var: 'external-status-addresses', type: 'list-multi' as const, values: addresses }];
  return {
    name: 'outage-status',
    claims: [{ spec: 'XEP-0455', title: 'Service Outage Status', version: '0.4.0', status: 'complete' }],
    disco: { domainForms: addresses.length === 0 ? [] : [{ type: 'result', formType: ns.outageStatus, fields }] },
  };
}
