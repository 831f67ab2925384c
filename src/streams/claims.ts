import type { Claim } from '../routing/extension.ts';

/** The specifications that no extension stands for: those of streams, of routing, and of the formats that both use. */
export const coreClaims: readonly Claim[] = [
  { spec: 'RFC 5802', title: 'SCRAM', status: 'complete' },
  {
    spec: 'RFC 6120',
    title: 'XMPP: Core',
    status: 'complete',
    note: 'between clients and the server, and between servers',
  },
  {
    spec: 'RFC 6121',
    title: 'XMPP: Instant Messaging and Presence',
    status: 'complete',
    note: 'with roster versions and pre-approval',
  },
  { spec: 'RFC 7590', title: 'Use of TLS in XMPP', status: 'complete' },
  { spec: 'RFC 7622', title: 'XMPP: Address Format', status: 'complete' },
  { spec: 'RFC 7677', title: 'SCRAM-SHA-256 and SCRAM-SHA-256-PLUS', status: 'complete' },
  { spec: 'XEP-0004', title: 'Data Forms', version: '2.13.2', status: 'complete' },
  { spec: 'XEP-0082', title: 'XMPP Date and Time Profiles', version: '1.1.1', status: 'complete' },
  { spec: 'XEP-0114', title: 'Jabber Component Protocol', version: '1.6', status: 'complete', note: 'accept' },
  {
    spec: 'XEP-0178',
    title: 'Best Practices for Use of SASL EXTERNAL with Certificates',
    version: '1.2',
    status: 'partial',
    note: 'between servers',
  },
  { spec: 'XEP-0185', title: 'Dialback Key Generation and Validation', version: '1.0', status: 'complete' },
  {
    spec: 'XEP-0198',
    title: 'Stream Management',
    version: '1.6.3',
    status: 'complete',
    note: 'acknowledged means durable; sessions can be resumed after a restart or a crash of the server; between servers without resumption',
  },
  { spec: 'XEP-0220', title: 'Server Dialback', version: '1.1.1', status: 'complete', note: 'with errors' },
  { spec: 'XEP-0288', title: 'Bidirectional Server-to-Server Connections', version: '1.0.1', status: 'complete' },
  {
    spec: 'XEP-0334',
    title: 'Message Processing Hints',
    version: '1.0.0',
    status: 'complete',
  },
  { spec: 'XEP-0368', title: 'SRV records for XMPP over TLS', version: '1.1.0', status: 'complete' },
  { spec: 'XEP-0386', title: 'Bind 2', version: '1.1.0', status: 'complete' },
  { spec: 'XEP-0388', title: 'Extensible SASL Profile', version: '1.0.4', status: 'complete' },
  { spec: 'XEP-0440', title: 'SASL Channel-Binding Type Capability', version: '1.0.0', status: 'complete' },
  { spec: 'XEP-0474', title: 'SASL SCRAM Downgrade Protection', version: '0.5.0', status: 'complete' },
  { spec: 'XEP-0478', title: 'Stream Limits Advertisement', version: '0.2.0', status: 'complete' },
];
