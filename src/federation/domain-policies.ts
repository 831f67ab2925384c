import type { StreamLimits } from '../streams/stream-limits.ts';
import type { FederationOptions, PeerAuthentication } from './federation-options.ts';

/** The operator's settings for other domains. A reload replaces them. */
export class DomainPolicies {
  #options: FederationOptions;
  #blocked: readonly string[] = [];

  constructor(options: FederationOptions) {
    this.#options = options;
  }

  /** The current settings. */
  get options(): FederationOptions {
    return this.#options;
  }

  replace(options: FederationOptions): void {
    this.#options = options;
  }

  /** Blocks these domains, and no others, in addition to those that the settings deny. */
  block(domains: readonly string[]): void {
    this.#blocked = domains;
  }

  /** Whether stanzas may be exchanged with the domain. */
  allows(domain: string): boolean {
    const { allow, deny } = this.#options;
    return (
      !isListed(deny, domain) && !isListed(this.#blocked, domain) && (allow === undefined || isListed(allow, domain))
    );
  }

  /** How the domain must prove itself. */
  authentication(domain: string): PeerAuthentication {
    return this.#options.domains.get(domain)?.authentication ?? this.#options.authentication;
  }

  /** Whether streams with the domain must use TLS. */
  tlsRequired(domain: string): boolean {
    return this.#options.domains.get(domain)?.tlsRequired ?? this.#options.tlsRequired;
  }

  /** The limits of a stream with the domain, once the domain is proved. */
  limits(domain: string): StreamLimits {
    return this.#options.domains.get(domain)?.limits ?? this.#options.limits;
  }
}

/** The comparison includes the dot: `*.example.org` does not match badexample.org. */
function isListed(list: readonly string[], domain: string): boolean {
  return list.some((entry) => entry === domain || (entry.startsWith('*.') && domain.endsWith(entry.slice(1))));
}
