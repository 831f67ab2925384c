import type { X509Certificate } from 'node:crypto';
import { DerError, type DerItem, derChildren, derItems } from './der.ts';

/** One extension of a certificate. A reader that does not know a critical extension must refuse the certificate (RFC 5280 §4.2). */
export interface CertificateExtension {
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Object identifiers of extensions, as the hexadecimal content of their DER (RFC 5280 §4.2). */
export const extensionIds = {
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  nameConstraints: '551d1e',
  crlDistributionPoints: '551d1f',
  certificatePolicies: '551d20',
  extendedKeyUsage: '551d25',
} as const;

const extensionsTag = 0xa3;
const booleanTag = 0x01;

/** The extensions of a certificate by their object identifiers. Throws `DerError`, also if an extension occurs twice. */
export function certificateExtensions({ raw }: X509Certificate): ReadonlyMap<string, CertificateExtension> {
  const [tbsCertificate] = derChildren(raw);
  const wrapped = derItems(contentOf(tbsCertificate)).find(({ tag }) => tag === extensionsTag);
  const found = new Map<string, CertificateExtension>();
  for (const { content } of wrapped ? derChildren(wrapped.content) : []) {
    const [id, ...rest] = derItems(content);
    const name = contentOf(id).toString('hex');
    if (found.has(name)) throw new DerError('the same extension twice');
    found.set(name, {
      critical: rest[0]?.tag === booleanTag && rest[0].content[0] !== 0,
      value: contentOf(rest.at(-1)),
    });
  }
  return found;
}

/** The object identifier of a certificate's signature algorithm, in hexadecimal. */
export function signatureAlgorithm({ raw }: X509Certificate): string {
  const [, algorithm] = derChildren(raw);
  return contentOf(derItems(contentOf(algorithm))[0]).toString('hex');
}

function contentOf(item: DerItem | undefined): Buffer {
  return item?.content ?? Buffer.alloc(0);
}
