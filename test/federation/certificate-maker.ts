import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export { ExtendedKeyUsage, Extension, KeyUsageFlags } from '@peculiar/x509';

const hourMs = 3_600_000;
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };

/** What a certificate is to be like, where it is not like any other. */
export interface Wanted {
  /** The content of subjectAltName, made with `names`. */
  readonly san?: Buffer;
  readonly subject?: x509.JsonName;
  /** Hours from now. */
  readonly from?: number;
  readonly until?: number;
  readonly purposes?: readonly string[];
  readonly usages?: x509.KeyUsageFlags;
  /** An authority, and how many may stand below it. */
  readonly authority?: number | 'unbounded';
  readonly further?: readonly x509.Extension[];
  readonly hash?: 'SHA-1' | 'SHA-256';
  readonly rsaBits?: number;
}

/** A certificate with its key and the certificates of those that vouch for it, the trust anchor left out. */
export interface Identity {
  readonly subject: x509.JsonName;
  readonly certificate: string;
  readonly chain: readonly string[];
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
}

const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
let serial = 1;

/** Makes a certificate; without an issuer it signs itself. */
export async function certificate(wanted: Wanted, issuer?: Identity): Promise<Identity> {
  const { publicKey, privateKey: key } =
    wanted.rsaBits === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: wanted.rsaBits });
  const subject = wanted.subject ?? [{ CN: [`certificate ${serial}`] }];
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: (serial++).toString(16).padStart(4, '0'),
    subject,
    issuer: issuer?.subject ?? subject,
    notBefore: new Date(Date.now() + (wanted.from ?? -1) * hourMs),
    notAfter: new Date(Date.now() + (wanted.until ?? 1) * hourMs),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    ...signing(issuer?.key ?? key, wanted.hash ?? 'SHA-256'),
    extensions: extensionsFor(wanted),
  });
  const chain = issuer === undefined || issuer.chain.length === 0 ? [] : issuer.chain;
  const pem = made.toString('pem');
  return { subject, certificate: pem, chain: [pem, ...chain], key, publicKey };
}

/** An authority whose own certificate is no part of the chains below it. */
export async function anchor(name: string, wanted: Wanted = {}): Promise<Identity> {
  return { ...(await authority(name, undefined, wanted)), chain: [] };
}

/** An authority below another. */
export function authority(name: string, issuer: Identity | undefined, wanted: Wanted = {}): Promise<Identity> {
  return certificate({ authority: 'unbounded', purposes: [], subject: [{ CN: [name] }], ...wanted }, issuer);
}

function signing(key: KeyObject, hash: 'SHA-1' | 'SHA-256') {
  const kind = key.asymmetricKeyType === 'rsa' ? { name: 'RSASSA-PKCS1-v1_5', hash } : ecdsa;
  return { signingKey: key.toCryptoKey(kind, false, ['sign']), signingAlgorithm: { ...kind, hash } };
}

function extensionsFor(wanted: Wanted): x509.Extension[] {
  const { authority: depth, purposes = [serverAuth, clientAuth] } = wanted;
  const isAuthority = depth !== undefined;
  const usages = wanted.usages ?? (isAuthority ? x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature);
  return [
    new x509.BasicConstraintsExtension(isAuthority, depth === 'unbounded' ? undefined : depth, true),
    new x509.KeyUsagesExtension(usages, true),
    ...(purposes.length > 0 ? [new x509.ExtendedKeyUsageExtension([...purposes])] : []),
    ...(wanted.san ? [new x509.Extension('2.5.29.17', false, wanted.san)] : []),
    ...(wanted.further ?? []),
  ];
}

/** The content of a subjectAltName. */
export function names(...entries: Buffer[]): Buffer {
  return der(0x30, ...entries);
}

export function dns(name: string): Buffer {
  return der(0x82, Buffer.from(name, 'latin1'));
}

/** SRVName (RFC 4985). */
export function srv(name: string): Buffer {
  return otherName('2b06010505070807', der(0x16, Buffer.from(name, 'latin1')));
}

/** id-on-xmppAddr (RFC 6120 §13.7.1.4). */
export function xmppAddr(name: string): Buffer {
  return otherName('2b06010505070805', der(0x0c, Buffer.from(name, 'utf8')));
}

/** An object identifier nobody knows, with a text. */
export function strangeName(name: string): Buffer {
  return otherName('2b0601050507087f', der(0x0c, Buffer.from(name, 'utf8')));
}

/** NameConstraints that permit one DNS name and what is below it (RFC 5280 §4.2.1.10). */
export function constrainedTo(name: string): x509.Extension {
  return new x509.Extension('2.5.29.30', true, der(0x30, der(0xa0, der(0x30, dns(name)))));
}

function otherName(id: string, value: Buffer): Buffer {
  return der(0xa0, der(0x06, Buffer.from(id, 'hex')), der(0xa0, value));
}

function der(tag: number, ...content: Buffer[]): Buffer {
  const whole = Buffer.concat(content);
  const length = whole.length < 0x80 ? [whole.length] : [0x82, whole.length >> 8, whole.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), whole]);
}
