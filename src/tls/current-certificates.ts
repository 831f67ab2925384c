import type { SecureContext } from 'node:tls';
import type { Log } from '../support/log.ts';
import { type CertificateOptions, type CertificateStore, loadCertificates } from './certificates.ts';
import type { CertificatePems } from './pem-contexts.ts';
import type { ContextSource } from './tls-options.ts';

/** The certificates in use: a reload replaces them for new connections, and only if all of the new ones are good. */
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

  /** Reads the certificates again; what it answers takes them into use. Rejects with `CertificateError`. */
  async prepare(options: CertificateOptions): Promise<() => void> {
    const store = await loadCertificates(options);
    return () => {
      this.#store = store;
      this.#warn();
    };
  }

  /** The file clients must trust, if certificates were made here. */
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

  contextFor(serverName: string | undefined): SecureContext {
    return this.#store.contextFor(serverName);
  }

  #warn(): void {
    for (const warning of this.#store.warnings) this.#log.warn({}, warning);
  }
}
