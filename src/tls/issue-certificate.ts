import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

/** The contents of a certificate. */
interface CertificateContent {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The issuer of a certificate, with an ECDSA P-256 key. */
export interface Issuer {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

type X509 = typeof import('@peculiar/x509');
type Extension = InstanceType<X509['Extension']>;

const ecdsaP256 = { name: 'ECDSA', namedCurve: 'P-256' };

/** The certificate of an authority that may sign servers but no further authorities, as PEM (RFC 5280 §4.2). */
export async function authorityCertificate(content: CertificateContent, issuer: Issuer): Promise<string> {
  const x509 = await loadX509();
  return signedPem(x509, content, issuer, [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(spki(content.publicKey)),
  ]);
}

/** The certificate of a server with the given DNS names and IP addresses, as PEM (RFC 5280 §4.2). */
export async function serverCertificate(
  content: CertificateContent,
  issuer: Issuer,
  names: readonly string[],
): Promise<string> {
  const x509 = await loadX509();
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return signedPem(x509, content, issuer, [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
    new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))),
    await x509.SubjectKeyIdentifierExtension.create(spki(content.publicKey)),
    await x509.AuthorityKeyIdentifierExtension.create(spki(issuer.publicKey)),
  ]);
}

/** Loaded on demand: servers with configured certificates start faster without it. */
async function loadX509(): Promise<X509> {
  // The library fails to load unless Reflect.getMetadata is defined.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

async function signedPem(
  { X509CertificateGenerator }: X509,
  content: CertificateContent,
  issuer: Issuer,
  extensions: Extension[],
): Promise<string> {
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [content.commonName] }],
    issuer: [{ CN: [issuer.commonName] }],
    notBefore: new Date(content.notBeforeMs),
    notAfter: new Date(content.notAfterMs),
    publicKey: spki(content.publicKey),
    signingKey: issuer.privateKey.toCryptoKey(ecdsaP256, false, ['sign']),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions,
  });
  return `${certificate.toString('pem')}\n`;
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}
