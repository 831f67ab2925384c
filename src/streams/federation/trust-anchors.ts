import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The authorities whose word about other servers counts: those that Node.js trusts, and those of the operator. */
export class TrustAnchors {
  readonly #own: readonly X509Certificate[];
  #all: readonly X509Certificate[] | undefined;

  /** Takes the operator's as PEM. Throws if one of them is damaged. */
  constructor(ownPem = '') {
    this.#own = certificatesIn(ownPem);
  }

  /** All of them; those of Node.js are read when they are first asked for. */
  get certificates(): readonly X509Certificate[] {
    this.#all ??= [...this.#own, ...getCACertificates('default').map((pem) => new X509Certificate(pem))];
    return this.#all;
  }

  /** Whether this very certificate is one of the operator's, which needs nobody else's word. */
  names(certificate: X509Certificate): boolean {
    return this.#own.some(({ raw }) => raw.equals(certificate.raw));
  }
}

/** The certificates of a PEM text, one by one. Throws if one of them is damaged. */
function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(pemCertificate) ?? []).map((text) => new X509Certificate(text));
}
