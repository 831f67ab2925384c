import { asciiDomain } from './certificate-files.ts';

/** Values by domain, looked up by the name a client asks for (RFC 6066 §3). */
export class ByServerName<T> {
  readonly #named: ReadonlyMap<string, T>;
  readonly #default: T;

  constructor(named: readonly (readonly [domain: string, value: T])[], fallback: T) {
    this.#named = new Map(named.map(([domain, value]) => [asciiDomain(domain), value]));
    this.#default = fallback;
  }

  /** The value for a name; the default one for no name or an unknown one. */
  get(name: string | undefined): T {
    if (name === undefined) return this.#default;
    return this.#named.get(asciiDomain(name.replace(/\.$/, ''))) ?? this.#default;
  }
}
