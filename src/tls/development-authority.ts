import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { asciiDomain, type CertificateFiles, covers } from './certificate-files.ts';
import { authorityCertificate, type Issuer, serverCertificate } from './issue-certificate.ts';

const dayMs = 86_400_000;
const authorityDays = 3650;
/** Devices refuse server certificates with a validity of more than 398 days. */
const certificateDays = 397;
const renewBeforeDays = 60;
/** Tolerance for client clocks that are slow. */
const backdatedMs = dayMs;

interface Pair {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/**
 * A private certificate authority in one directory, for servers without configured certificates. It issues its own
 * certificate once and one for each domain, and renews them before they expire.
 */
export class DevelopmentAuthority {
  /** The file to add to the trust store of a client. */
  readonly certificateFile: string;
  readonly #keyFile: string;
  readonly #directory: string;
  readonly #nowMs: number;

  constructor(directory: string, nowMs: number) {
    this.#directory = directory;
    this.certificateFile = join(directory, 'development-ca.pem');
    this.#keyFile = join(directory, 'development-ca.key');
    this.#nowMs = nowMs;
  }

  /** Certificates for the domains: the existing ones if still valid, otherwise new ones. */
  async certificates(domains: readonly string[]): Promise<Map<string, CertificateFiles>> {
    await mkdir(join(this.#directory, 'domains'), { recursive: true, mode: 0o700 });
    const authority = (await this.#existingAuthority()) ?? (await this.#newAuthority());
    const certificates = new Map<string, CertificateFiles>();
    for (const domain of domains) certificates.set(domain, await this.#certificate(domain, authority));
    return certificates;
  }

  async #existingAuthority(): Promise<Issuer | undefined> {
    const pair = await readPair({ certificate: this.certificateFile, key: this.#keyFile });
    if (pair === undefined || !pair.certificate.ca || !this.#lasting(pair.certificate, certificateDays))
      return undefined;
    const commonName = pair.certificate.subject.replace(/^CN=/, '');
    return { commonName, publicKey: createPublicKey(pair.key), privateKey: pair.key };
  }

  async #newAuthority(): Promise<Issuer> {
    const issuer = {
      // A unique name keeps trust stores from confusing the authorities of different servers.
      commonName: `Ampere development authority ${randomBytes(4).toString('hex')}`,
      ...newKeyPair(),
    };
    const pem = await authorityCertificate({ ...issuer, ...this.#validFor(authorityDays) }, issuer);
    await writePair({ certificate: this.certificateFile, key: this.#keyFile }, pem, issuer.privateKey);
    return issuer;
  }

  async #certificate(domain: string, authority: Issuer): Promise<CertificateFiles> {
    const base = `${join(this.#directory, 'domains')}/${encodeURIComponent(asciiDomain(domain))}`;
    const files = { certificate: `${base}.pem`, key: `${base}.key` };
    const existing = await readPair(files);
    if (existing !== undefined && this.#stillGood(existing.certificate, domain, authority)) return files;
    const { publicKey, privateKey } = newKeyPair();
    const content = { commonName: 'Ampere development server', publicKey, ...this.#validFor(certificateDays) };
    await writePair(files, await serverCertificate(content, authority, namesFor(domain)), privateKey);
    return files;
  }

  #stillGood(certificate: X509Certificate, domain: string, authority: Issuer): boolean {
    return (
      this.#lasting(certificate, renewBeforeDays) &&
      covers(certificate, domain) &&
      certificate.verify(authority.publicKey)
    );
  }

  #lasting(certificate: X509Certificate, days: number): boolean {
    return certificate.validToDate.getTime() - this.#nowMs > days * dayMs;
  }

  #validFor(days: number) {
    return { notBeforeMs: this.#nowMs - backdatedMs, notAfterMs: this.#nowMs - backdatedMs + days * dayMs };
  }
}

function newKeyPair(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function namesFor(domain: string): string[] {
  if (domain === 'localhost') return ['localhost', '127.0.0.1', '::1'];
  const address = domain.replace(/^\[|\]$/g, '');
  return [isIP(address) === 0 ? asciiDomain(domain) : address];
}

/** The pair in the files, or undefined when they are missing, damaged or do not belong together. */
async function readPair(files: CertificateFiles): Promise<Pair | undefined> {
  try {
    const certificate = new X509Certificate(await readFile(files.certificate));
    const key = createPrivateKey(await readFile(files.key));
    return certificate.checkPrivateKey(key) ? { certificate, key } : undefined;
  } catch {
    return undefined;
  }
}

async function writePair(files: CertificateFiles, certificate: string, key: KeyObject): Promise<void> {
  await writePrivate(files.key, key.export({ type: 'pkcs8', format: 'pem' }));
  await writePrivate(files.certificate, certificate);
}

/** Writes the whole file or nothing, readable by its owner only. */
async function writePrivate(file: string, text: string | Buffer): Promise<void> {
  const unfinished = `${file}.new`;
  await writeFile(unfinished, text, { mode: 0o600 });
  await rename(unfinished, file);
}
