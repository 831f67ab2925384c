import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { domainToASCII } from 'node:url';
import { secureContextOptions } from './tls-options.ts';

/** The files of a certificate with its chain and of its private key, both PEM. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  readonly passphrase?: string;
}

/** A certificate with its chain, and its unencrypted key, both PEM. */
export interface PemPair {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate ready to serve. */
export interface ServerCertificate {
  readonly pems: PemPair;
  readonly context: SecureContext;
  readonly leaf: X509Certificate;
}

/** Reads and checks the files; throws an Error whose message names the file and its fault. */
export async function readCertificate(files: CertificateFiles): Promise<ServerCertificate> {
  const chain = await readPem(files.certificate);
  const leaf = parsedLeaf(files.certificate, chain);
  await refuseOpenMode(files.key);
  const keyPem = await readPem(files.key);
  const key = parsedKey(files, keyPem);
  if (!leaf.checkPrivateKey(key)) throw new Error(`${files.key}: is not the key of ${files.certificate}`);
  const pems = { certificate: chain, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
  return { pems, context: secureContext(files, pems), leaf };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    throw new Error(`${file}: cannot be read (${errorCode(error)})`);
  }
}

function parsedLeaf(file: string, chain: string): X509Certificate {
  if (!chain.includes('-----BEGIN CERTIFICATE-----')) throw new Error(`${file}: holds no PEM certificate`);
  try {
    return new X509Certificate(chain);
  } catch (error) {
    throw new Error(`${file}: the certificate is damaged (${errorCode(error)})`);
  }
}

/** A file owned by root may be readable by a group, so that servers without root rights can read keys. */
async function refuseOpenMode(file: string): Promise<void> {
  const { mode, uid } = await stat(file).catch((error: unknown) => {
    throw new Error(`${file}: cannot be read (${errorCode(error)})`);
  });
  const forbidden = uid === 0 ? 0o037 : 0o077;
  if ((mode & forbidden) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  throw new Error(`${file}: the private key is open to other users (mode ${octal}); run: chmod 600 ${file}`);
}

function parsedKey({ key: file, passphrase }: CertificateFiles, pem: string): KeyObject {
  const encrypted = pem.includes('ENCRYPTED');
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) throw new Error(`${file}: holds no PEM private key`);
  if (encrypted && passphrase === undefined)
    throw new Error(`${file}: the private key is encrypted; set its passphrase`);
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    if (encrypted) throw new Error(`${file}: the passphrase does not open the private key`);
    throw new Error(`${file}: the private key is damaged (${errorCode(error)})`);
  }
}

/** The TLS context of a certificate. */
export function contextOf({ certificate, key }: PemPair): SecureContext {
  return createSecureContext({ ...secureContextOptions, cert: certificate, key });
}

function secureContext(files: CertificateFiles, pems: PemPair): SecureContext {
  try {
    return contextOf(pems);
  } catch (error) {
    throw new Error(`${files.certificate}: cannot be used for TLS (${errorCode(error)})`);
  }
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}

/** Whether a SAN of the certificate names the domain, exactly or with a wildcard for its first label (RFC 9525 §6.3). */
export function covers(certificate: X509Certificate, domain: string): boolean {
  const address = domain.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0) return certificate.checkIP(address) !== undefined;
  return certificate.checkHost(asciiDomain(domain), { subject: 'never', partialWildcards: false }) !== undefined;
}

/** The domain in the form used in DNS: A-labels in lower case. */
export function asciiDomain(domain: string): string {
  return domainToASCII(domain) || domain.toLowerCase();
}
