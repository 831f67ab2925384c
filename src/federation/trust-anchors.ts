import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import { CertificateError } from '../tls/certificates.ts';

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The authorities trusted for other servers: those of Node.js and those of the operator. */
export class TrustAnchors {
  readonly #own: readonly X509Certificate[];
  #all: readonly X509Certificate[] | undefined;

  /** Takes the operator's certificates as PEM. Throws if one of them is damaged. */
  constructor(ownPem = '') {
    this.#own = certificatesIn(ownPem);
  }

  /** Reads the operator's certificates from a PEM file, if there is one. Throws `CertificateError`. */
  static async read(file: string | undefined): Promise<TrustAnchors> {
    if (file === undefined) return new TrustAnchors();
    const pem = await readFile(file, 'latin1').catch((error: unknown) => {
      throw unusable(file, `cannot be read (${reason(error)})`);
    });
    return parsed(file, pem);
  }

  /** All certificates. Those of Node.js are read on first use. */
  get certificates(): readonly X509Certificate[] {
    this.#all ??= [...this.#own, ...getCACertificates('default').map((pem) => new X509Certificate(pem))];
    return this.#all;
  }

  /** Whether the operator has listed exactly this certificate, which then needs no issuer. */
  names(certificate: X509Certificate): boolean {
    return this.#own.some(({ raw }) => raw.equals(certificate.raw));
  }
}

function parsed(file: string, pem: string): TrustAnchors {
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw unusable(file, 'holds no PEM certificate');
  try {
    return new TrustAnchors(pem);
  } catch (error) {
    throw unusable(file, `a certificate is damaged (${reason(error)})`);
  }
}

function unusable(file: string, fault: string): CertificateError {
  return new CertificateError([`${file}: ${fault}`]);
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}

/** The certificates of a PEM text, one by one. Throws if one of them is damaged. */
function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(pemCertificate) ?? []).map((text) => new X509Certificate(text));
}
