import {
  anchor,
  authority,
  certificate,
  constrainedTo,
  dns,
  ExtendedKeyUsage,
  Extension,
  type Identity,
  KeyUsageFlags,
  names,
  srv,
  strangeName,
  xmppAddr,
} from './certificate-maker.ts';

/** The domain that the peer claims. */
export const peer = 'chat.peer.example';
/** A subjectAltName with that domain. */
export const named = names(dns(peer));
const { serverAuth, clientAuth, emailProtection } = ExtendedKeyUsage;

/** A row of the table in docs/federation.md: the certificate, and the reason for refusing it, if it is refused. */
export type Row = readonly [title: string, make: (root: Identity) => Promise<Identity>, fault?: RegExp];

const unknown = /self-signed certificate|authority is not known|unable to/;

/** Accepted certificates. */
export const good: readonly Row[] = [
  ['names the domain (dNSName), for servers and clients', (root) => certificate({ san: named }, root)],
  ['is for servers only', (root) => certificate({ san: named, purposes: [serverAuth] }, root)],
  ['is for clients only', (root) => certificate({ san: named, purposes: [clientAuth] }, root)],
  ['lists no purposes', (root) => certificate({ san: named, purposes: [] }, root)],
  ['names the domain in capitals', (root) => certificate({ san: names(dns('Chat.PEER.example')) }, root)],
  ['names other domains, too', (root) => certificate({ san: names(dns('a.example'), dns(peer)) }, root)],
  ['has a wildcard for the first label', (root) => certificate({ san: names(dns('*.peer.example')) }, root)],
  ['names the service (SRVName)', (root) => certificate({ san: names(srv(`_xmpp-server.${peer}`)) }, root)],
  ['names the address (id-on-xmppAddr)', (root) => certificate({ san: names(xmppAddr(peer)) }, root)],
  ['comes with its intermediate', async (root) => certificate({ san: named }, await authority('middle', root))],
  [
    'is for servers only, and so is its intermediate',
    async (root) => {
      const middle = await authority('middle', root, { purposes: [serverAuth], authority: 0 });
      return certificate({ san: named, purposes: [serverAuth] }, middle);
    },
  ],
];

/** Refused certificates. */
export const bad: readonly Row[] = [
  ['has expired', (root) => certificate({ san: named, until: -0.5 }, root), /expired/],
  ['is not valid yet', (root) => certificate({ san: named, from: 0.5 }, root), /not yet valid/],
  [
    'has expired, and is for servers only',
    (root) => certificate({ san: named, until: -0.5, purposes: [serverAuth] }, root),
    /expired/,
  ],
  ['is for mail only', (root) => certificate({ san: named, purposes: [emailProtection] }, root), /neither for servers/],
  [
    'has a key that may not sign',
    (root) => certificate({ san: named, usages: KeyUsageFlags.dataEncipherment, purposes: [serverAuth] }, root),
    /may not sign/,
  ],
  ['names another domain', (root) => certificate({ san: names(dns('other.example')) }, root), /does not name/],
  ['names the domain in its subject only', (root) => certificate({ subject: [{ CN: [peer] }] }, root), /does not name/],
  [
    'names the domain within another part of its subject',
    (root) => certificate({ subject: [{ O: [`x,CN=${peer}`] }, { CN: ['y'] }] }, root),
    /does not name/,
  ],
  [
    'names the domain in its subject, and another in its SAN',
    (root) => certificate({ subject: [{ CN: [peer] }], san: names(dns('other.example')) }, root),
    /does not name/,
  ],
  [
    'has a NUL behind the domain',
    (root) => certificate({ san: names(dns(`${peer}\0.evil.example`)) }, root),
    /does not name/,
  ],
  [
    'has a comma behind the domain',
    (root) => certificate({ san: names(dns(`${peer}, DNS:x`)) }, root),
    /does not name/,
  ],
  [
    'has another name that looks like a list of names',
    (root) => certificate({ san: names(dns(`evil.example, DNS:${peer}`)) }, root),
    /does not name/,
  ],
  ['has a wildcard for two labels', (root) => certificate({ san: names(dns('*.example')) }, root), /does not name/],
  ['has a wildcard for the top level', (root) => certificate({ san: names(dns('*')) }, root), /does not name/],
  [
    'has a wildcard for part of a label',
    (root) => certificate({ san: names(dns('ch*.peer.example')) }, root),
    /does not name/,
  ],
  ['has a wildcard in the middle', (root) => certificate({ san: names(dns('chat.*.example')) }, root), /does not name/],
  ['names a subdomain', (root) => certificate({ san: names(dns(`a.${peer}`)) }, root), /does not name/],
  [
    'names a domain with the same ending',
    (root) => certificate({ san: names(dns('t.peer.example')) }, root),
    /does not name/,
  ],
  [
    'names the service for clients',
    (root) => certificate({ san: names(srv(`_xmpp-client.${peer}`)) }, root),
    /does not name/,
  ],
  [
    'names a user of the domain',
    (root) => certificate({ san: names(xmppAddr(`root@${peer}`)) }, root),
    /does not name/,
  ],
  [
    'has the domain as a name of an unknown kind',
    (root) => certificate({ san: names(strangeName(peer)) }, root),
    /does not name/,
  ],
  ['is self-signed', () => certificate({ san: named }), unknown],
  ['comes from an unknown authority', async () => certificate({ san: named }, await anchor('nobody')), unknown],
  [
    'comes from an unknown authority, and is for servers only',
    async () => certificate({ san: named, purposes: [serverAuth] }, await anchor('nobody')),
    unknown,
  ],
  [
    'comes from an authority with the name of a trusted one, and is for servers only',
    async (root) =>
      certificate({ san: named, purposes: [serverAuth] }, { ...(await anchor('x')), subject: root.subject }),
    /signature|unknown|not known|unable/,
  ],
  [
    'comes without its intermediate',
    async (root) => alone(await certificate({ san: named }, await authority('middle', root))),
    unknown,
  ],
  [
    'comes without its intermediate, and is for servers only',
    async (root) => alone(await certificate({ san: named, purposes: [serverAuth] }, await authority('middle', root))),
    unknown,
  ],
  [
    'was signed with a certificate that is not an authority',
    async (root) => {
      const leaf = await certificate({ san: names(dns('evil.example')) }, root);
      return certificate({ san: named, purposes: [serverAuth] }, leaf);
    },
    /no authority|invalid CA|not known|unable|usage/,
  ],
  [
    'was signed with a certificate that may sign others but is not an authority',
    async (root) => {
      const leaf = await certificate({ usages: KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature }, root);
      return certificate({ san: named, purposes: [serverAuth] }, leaf);
    },
    /no authority|invalid CA|not known|unable/,
  ],
  [
    'has more intermediates than one of them allows',
    async (root) => {
      const upper = await authority('upper', root, { authority: 0 });
      return certificate({ san: named, purposes: [serverAuth] }, await authority('lower', upper));
    },
    /more authorities|path length/,
  ],
  [
    'has an intermediate that has expired',
    async (root) => certificate({ san: named }, await authority('middle', root, { until: -0.5 })),
    /expired/,
  ],
  [
    'has an intermediate that is for mail only',
    async (root) =>
      certificate(
        { san: named, purposes: [serverAuth] },
        await authority('middle', root, { purposes: [emailProtection] }),
      ),
    /neither for servers/,
  ],
  [
    'has an intermediate for other names',
    async (root) => {
      const middle = await authority('middle', root, { further: [constrainedTo('other.example')] });
      return certificate({ san: named, purposes: [serverAuth] }, middle);
    },
    /name constraints|permitted subtree/,
  ],
  [
    'has an unknown critical extension',
    (root) =>
      certificate(
        { san: named, further: [new Extension('1.3.6.1.4.1.99999.1', true, Buffer.from('0500', 'hex'))] },
        root,
      ),
    /critical extension/,
  ],
  ['is signed with SHA-1', (root) => certificate({ san: named, hash: 'SHA-1' }, root), /too weak/],
  ['has an RSA key of 1024 bits', (root) => certificate({ san: named, rsaBits: 1024 }, root), /too (weak|small)/],
];

function alone(identity: Identity): Identity {
  return { ...identity, chain: [identity.certificate] };
}
