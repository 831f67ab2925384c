import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import * as der from './der.ts';

/** What a certificate is to say, whoever signs it. */
export interface CertificateContent {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Who signs a certificate, with an ECDSA P-256 key. */
export interface Issuer {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const ecdsaWithSha256 = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'));
const keyCertSignAndCrlSign = der.bitString(Buffer.from([0b0000_0110]), 1);
const digitalSignature = der.bitString(Buffer.from([0b1000_0000]), 7);
const serverAuth = der.objectIdentifier('1.3.6.1.5.5.7.3.1');
const noPathBelow = der.integer(Buffer.from([0]));

/** The certificate of an authority that may sign servers but no further authorities, as PEM (RFC 5280 §4.2). */
export function authorityCertificate(content: CertificateContent, issuer: Issuer): string {
  return signedPem(content, issuer, [
    criticalExtension('2.5.29.19', der.sequence(der.yes, noPathBelow)),
    criticalExtension('2.5.29.15', keyCertSignAndCrlSign),
    extension('2.5.29.14', der.octetString(keyIdentifier(content.publicKey))),
  ]);
}

/** The certificate of a server with the given DNS names and IP addresses, as PEM (RFC 5280 §4.2). */
export function serverCertificate(content: CertificateContent, issuer: Issuer, names: readonly string[]): string {
  return signedPem(content, issuer, [
    criticalExtension('2.5.29.19', der.sequence()),
    criticalExtension('2.5.29.15', digitalSignature),
    extension('2.5.29.37', der.sequence(serverAuth)),
    extension('2.5.29.17', der.sequence(...names.map(generalName))),
    extension('2.5.29.14', der.octetString(keyIdentifier(content.publicKey))),
    extension('2.5.29.35', der.sequence(der.implicit(0, keyIdentifier(issuer.publicKey)))),
  ]);
}

function signedPem(content: CertificateContent, issuer: Issuer, extensions: readonly Buffer[]): string {
  const toBeSigned = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(randomBytes(16)),
    ecdsaWithSha256,
    name(issuer.commonName),
    der.sequence(der.time(content.notBeforeMs), der.time(content.notAfterMs)),
    name(content.commonName),
    spki(content.publicKey),
    der.explicit(3, der.sequence(...extensions)),
  );
  const signature = sign('sha256', toBeSigned, issuer.privateKey);
  return pem(der.sequence(toBeSigned, ecdsaWithSha256, der.bitString(signature)));
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function name(commonName: string): Buffer {
  return der.sequence(der.setOf(der.sequence(der.objectIdentifier('2.5.4.3'), der.utf8String(commonName))));
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(spki(key)).digest().subarray(0, 20);
}

function extension(identifier: string, content: Buffer): Buffer {
  return der.sequence(der.objectIdentifier(identifier), der.octetString(content));
}

function criticalExtension(identifier: string, content: Buffer): Buffer {
  return der.sequence(der.objectIdentifier(identifier), der.yes, der.octetString(content));
}

function generalName(host: string): Buffer {
  return isIP(host) === 0 ? der.implicit(2, Buffer.from(host, 'ascii')) : der.implicit(7, addressBytes(host));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const after = groups(tail ?? '');
  const zeros = Array<string>(8 - groups(head).length - after.length).fill('0');
  return Buffer.from([...groups(head), ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
