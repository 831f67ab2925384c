import type { X509Certificate } from 'node:crypto';
import {
  type CertificateExtension,
  certificateExtensions,
  extensionIds,
  signatureAlgorithm,
} from '../tls/certificate-extensions.ts';
import { derChildren } from '../tls/der.ts';
import type { TrustAnchors } from './trust-anchors.ts';

/** Extensions that are checked here, or that do not affect validity (RFC 5280 §4.2). */
const understood: ReadonlySet<string> = new Set([
  extensionIds.keyUsage,
  extensionIds.subjectAltName,
  extensionIds.basicConstraints,
  extensionIds.crlDistributionPoints,
  extensionIds.certificatePolicies,
  extensionIds.extendedKeyUsage,
]);

/** RSA and ECDSA with SHA-2, Ed25519, Ed448. */
const signatures: ReadonlySet<string> = new Set([
  '2a864886f70d01010b',
  '2a864886f70d01010c',
  '2a864886f70d01010d',
  '2a8648ce3d040302',
  '2a8648ce3d040303',
  '2a8648ce3d040304',
  '2b6570',
  '2b6571',
]);

/** serverAuth and clientAuth: either of them proves a server in both roles. */
const purposes = ['2b06010505070301', '2b06010505070302'] as const;
const anyPurpose = '551d2500';

/**
 * Why a path of certificates, a leaf and then the issuer of each, does not lead to a trust anchor; undefined if it does. Stricter than RFC 5280:
 * anything unknown is a fault, including name constraints. Does not check revocation. Throws `DerError`.
 */
export function pathFault(path: readonly X509Certificate[], trust: TrustAnchors, nowMs: number): string | undefined {
  const [leaf] = path;
  if (leaf === undefined) return 'no certificate';
  if (trust.names(leaf)) return leafFault(leaf) ?? certificateFault(leaf, nowMs);
  let fault = 'its authority is not known';
  for (const [index, certificate] of path.entries()) {
    const below = path.slice(0, index + 1);
    for (const anchor of trust.certificates.filter((candidate) => hasIssued(candidate, certificate))) {
      const found = chainFault([...below, anchor], nowMs);
      if (found === undefined) return undefined;
      fault = found;
    }
    const next = path[index + 1];
    if (next !== undefined && !hasIssued(next, certificate)) return fault;
  }
  return fault;
}

/** Compares names, key identifiers and key usage, and verifies the signature. */
function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The fault of a chain of leaf, issuers and anchor. Its signatures have been verified. */
function chainFault(chain: readonly X509Certificate[], nowMs: number): string | undefined {
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) return undefined;
  return (
    leafFault(leaf) ??
    firstFault(chain, (certificate) => certificateFault(certificate, nowMs)) ??
    firstFault(chain.slice(0, -1), signatureFault) ??
    firstFault(issuers, (issuer, below) => issuerFault(issuer, below)) ??
    purposeFault(chain)
  );
}

function firstFault(
  certificates: readonly X509Certificate[],
  faultOf: (certificate: X509Certificate, index: number) => string | undefined,
): string | undefined {
  for (const [index, certificate] of certificates.entries()) {
    const fault = faultOf(certificate, index);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function certificateFault(certificate: X509Certificate, nowMs: number): string | undefined {
  if (certificate.validFromDate.getTime() > nowMs) return 'certificate is not yet valid';
  if (certificate.validToDate.getTime() < nowMs) return 'certificate has expired';
  if (!hasStrongKey(certificate)) return 'a key that is too weak';
  const extensions = certificateExtensions(certificate);
  if (extensions.has(extensionIds.nameConstraints)) return 'name constraints, which are not understood';
  const strange = [...extensions].find(([id, { critical }]) => critical && !understood.has(id));
  return strange && 'a critical extension that is not understood';
}

function hasStrongKey({ publicKey }: X509Certificate): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 2048;
  if (type === 'ec') return ['prime256v1', 'secp384r1', 'secp521r1'].includes(details?.namedCurve ?? '');
  return type === 'ed25519' || type === 'ed448';
}

function signatureFault(certificate: X509Certificate): string | undefined {
  return signatures.has(signatureAlgorithm(certificate)) ? undefined : 'a signature that is too weak';
}

/** The key of a leaf must be allowed to sign the handshake (RFC 5280 §4.2.1.3, digitalSignature). */
function leafFault(leaf: X509Certificate): string | undefined {
  const usage = certificateExtensions(leaf).get(extensionIds.keyUsage);
  return usage === undefined || allowsSigning(usage) ? undefined : 'a key that may not sign';
}

function allowsSigning({ value }: CertificateExtension): boolean {
  // A BIT STRING: tag, length, number of unused bits, then the bits; the first bit is digitalSignature.
  return value[0] === 0x03 && ((value[3] ?? 0) & 0x80) !== 0;
}

function issuerFault(issuer: X509Certificate, intermediatesBelow: number): string | undefined {
  if (!issuer.ca) return 'issued by a certificate that is no authority';
  return intermediatesBelow > pathLength(issuer) ? 'more authorities than one of them allows' : undefined;
}

/** The maximum number of authorities between this one and a leaf (RFC 5280 §4.2.1.9). */
function pathLength(issuer: X509Certificate): number {
  const constraints = derChildren(certificateExtensions(issuer).get(extensionIds.basicConstraints)?.value);
  const length = constraints.find(({ tag }) => tag === 0x02)?.content;
  if (length === undefined) return Number.POSITIVE_INFINITY;
  return length.length === 1 ? length.readInt8() : 0;
}

/** All certificates of the chain must share a purpose (RFC 5280 §4.2.1.12). A certificate without a list allows all purposes. */
function purposeFault(chain: readonly X509Certificate[]): string | undefined {
  const allowed = purposes.filter((purpose) => chain.every((certificate) => allows(certificate, purpose)));
  return allowed.length > 0 ? undefined : 'certificate is neither for servers nor for clients';
}

function allows(certificate: X509Certificate, purpose: string): boolean {
  const extension = certificateExtensions(certificate).get(extensionIds.extendedKeyUsage);
  if (extension === undefined) return true;
  const listed = derChildren(extension.value).map(({ content }) => content.toString('hex'));
  return listed.includes(purpose) || (certificate.ca && listed.includes(anyPurpose));
}
