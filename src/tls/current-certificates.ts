import type { SecureContext } from 'node:tls';
import type { Log } from '../support/log.ts';
import { type CertificateOptions, type CertificateStore, loadCertificates } from './certificates.ts';
import type { CertificatePems } from './pem-contexts.ts';
import type { ContextSource } from './tls-options.ts';

/** When the certificate of a domain expires. */
export interface CertificateExpiry {
  readonly domain: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** The certificates in use. A reload replaces them for new connections, and only if all new ones are valid. */
export class CurrentCertificates implements ContextSource {
  readonly #log: Log;
  #store: CertificateStore;

  private constructor(store: CertificateStore, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#warn();
  }

  /** Throws `CertificateError`. */
  static async load(options: CertificateOptions, log: Log): Promise<CurrentCertificates> {
    return new CurrentCertificates(await loadCertificates(options), log);
  }

  /** Reads the certificates again. The returned function puts them into use. Rejects with `CertificateError`. */
  async prepare(options: CertificateOptions): Promise<() => void> {
    const store = await loadCertificates(options);
    return () => {
      this.#store = store;
      this.#warn();
    };
  }

  /** The authority that clients must trust, if the server has issued certificates itself. */
  get developmentAuthority(): string | undefined {
    return this.#store.developmentAuthority;
  }

  get single(): boolean {
    return this.#store.single;
  }

  /** For threads that show the same certificates. */
  get pems(): CertificatePems {
    return this.#store.pems;
  }

  /** When the certificate of each domain expires. */
  get expiries(): readonly CertificateExpiry[] {
    return this.#store.expiries;
  }

  contextFor(serverName: string | undefined): SecureContext {
    return this.#store.contextFor(serverName);
  }

  #warn(): void {
    for (const warning of this.#store.warnings) this.#log.warn({}, warning);
  }
}
