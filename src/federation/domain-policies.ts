import type { StreamLimits } from '../streams/stream-limits.ts';
import type { FederationOptions, PeerAuthentication } from './federation-options.ts';

/** What the operator decided about other domains; a reload replaces it. */
export class DomainPolicies {
  #options: FederationOptions;

  constructor(options: FederationOptions) {
    this.#options = options;
  }

  /** Everything that was decided, as it is now. */
  get options(): FederationOptions {
    return this.#options;
  }

  replace(options: FederationOptions): void {
    this.#options = options;
  }

  /** Whether stanzas are exchanged with the domain at all. */
  allows(domain: string): boolean {
    const { allow, deny } = this.#options;
    return !isListed(deny, domain) && (allow === undefined || isListed(allow, domain));
  }

  /** How the domain must prove itself. */
  authentication(domain: string): PeerAuthentication {
    return this.#options.domains.get(domain)?.authentication ?? this.#options.authentication;
  }

  /** Whether nothing is exchanged with the domain without TLS. */
  tlsRequired(domain: string): boolean {
    return this.#options.domains.get(domain)?.tlsRequired ?? this.#options.tlsRequired;
  }

  /** The bounds on a stream with the domain, once it has proved itself. */
  limits(domain: string): StreamLimits {
    return this.#options.domains.get(domain)?.limits ?? this.#options.limits;
  }
}

/** The dot belongs to what is compared: `*.example.org` is not badexample.org. */
function isListed(list: readonly string[], domain: string): boolean {
  return list.some((entry) => entry === domain || (entry.startsWith('*.') && domain.endsWith(entry.slice(1))));
}
