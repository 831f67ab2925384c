import type { Claim } from '../routing/extension.ts';

/** The specifications that no extension stands for: those of streams, of the road, and of the words spoken on it. */
export const coreClaims: readonly Claim[] = [
  { spec: 'RFC 5802', title: 'SCRAM', status: 'complete' },
  {
    spec: 'RFC 6120',
    title: 'XMPP: Core',
    status: 'partial',
    note: 'streams between clients and the server; none to other servers yet',
  },
  {
    spec: 'RFC 6121',
    title: 'XMPP: Instant Messaging and Presence',
    status: 'partial',
    note: 'between the users of one server, with roster versions and pre-approval',
  },
  { spec: 'RFC 7590', title: 'Use of TLS in XMPP', status: 'partial', note: 'between clients and the server' },
  { spec: 'RFC 7622', title: 'XMPP: Address Format', status: 'complete' },
  { spec: 'RFC 7677', title: 'SCRAM-SHA-256 and SCRAM-SHA-256-PLUS', status: 'complete' },
  { spec: 'XEP-0004', title: 'Data Forms', version: '2.13.2', status: 'complete' },
  { spec: 'XEP-0082', title: 'XMPP Date and Time Profiles', version: '1.1.1', status: 'complete' },
  { spec: 'XEP-0114', title: 'Jabber Component Protocol', version: '1.6', status: 'complete', note: 'accept' },
  {
    spec: 'XEP-0198',
    title: 'Stream Management',
    version: '1.6.3',
    status: 'complete',
    note: 'acknowledged means durable; sessions can be resumed after a restart or a crash of the server',
  },
  {
    spec: 'XEP-0334',
    title: 'Message Processing Hints',
    version: '1.0.0',
    status: 'partial',
    note: 'no-store; there is no archive yet that the others could be about',
  },
  { spec: 'XEP-0368', title: 'SRV records for XMPP over TLS', version: '1.1.0', status: 'complete' },
  { spec: 'XEP-0386', title: 'Bind 2', version: '1.1.0', status: 'complete' },
  { spec: 'XEP-0388', title: 'Extensible SASL Profile', version: '1.0.4', status: 'complete' },
  { spec: 'XEP-0440', title: 'SASL Channel-Binding Type Capability', version: '1.0.0', status: 'complete' },
  { spec: 'XEP-0474', title: 'SASL SCRAM Downgrade Protection', version: '0.5.0', status: 'complete' },
  { spec: 'XEP-0478', title: 'Stream Limits Advertisement', version: '0.2.0', status: 'complete' },
];
