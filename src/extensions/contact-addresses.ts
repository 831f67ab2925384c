import type { DataForm } from '../protocol/data-form.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Extension } from '../routing/extension.ts';

const purposes = ['abuse', 'admin', 'feedback', 'sales', 'security', 'status', 'support'] as const;

/** URIs for reaching the operator, by purpose. */
export type ContactAddresses = Readonly<Record<(typeof purposes)[number], readonly string[]>>;

/** Contact Addresses for XMPP Services (XEP-0157): a form in the domain's disco#info. The addresses are read at each use. */
export function contactAddresses(addresses: ContactAddresses): Extension {
  return {
    name: 'contact-addresses',
    claims: [
      { spec: 'XEP-0157', title: 'Contact Addresses for XMPP Services', version: '1.1.1', status: 'complete' },
      { spec: 'XEP-0128', title: 'Service Discovery Extensions', version: '1.0.1', status: 'complete' },
    ],
    get disco() {
      return {
        domainForms: formOf(ns.serverInfo, ...purposes.map((purpose) => [purpose, addresses[purpose]] as const)),
      };
    },
  };
}

/** Service Outage Status (XEP-0455): files on other machines that tell clients why they do not reach the server. */
export function outageStatus(contact: { readonly outages: readonly string[] }): Extension {
  return {
    name: 'outage-status',
    claims: [{ spec: 'XEP-0455', title: 'Service Outage Status', version: '0.4.0', status: 'complete' }],
    get disco() {
      return { domainForms: formOf(ns.outageStatus, ['external-status', contact.outages]) };
    },
  };
}

type Addresses = readonly [purpose: string, addresses: readonly string[]];

/** A form with the addresses that there are; none without addresses. */
function formOf(formType: string, ...all: readonly Addresses[]): readonly DataForm[] {
  const fields = all
    .filter(([, values]) => values.length > 0)
    .map(([purpose, values]) => ({ var: `${purpose}-addresses`, type: 'list-multi', values }) as const);
  return fields.length === 0 ? [] : [{ type: 'result', formType, fields }];
}
