/** Two domains that exchange stanzas: a local one and one of a peer. */
export interface DomainPair {
  readonly local: string;
  readonly remote: string;
}

/** A pair as a map key. Domains contain no spaces. */
export function pairKey({ local, remote }: DomainPair): string {
  return `${local} ${remote}`;
}

/** The pairs of domains that a peer has proved: it may send from `remote` to `local` (RFC 6120 §8.1.2.2, XEP-0220 §2.6). */
export class ProvenPairs {
  readonly #pairs = new Map<string, DomainPair>();
  #certified: string | undefined;

  get size(): number {
    return this.#pairs.size;
  }

  /** The proven domains of the peer. */
  get remotes(): ReadonlySet<string> {
    const proved = Array.from(this.#pairs.values(), ({ remote }) => remote);
    return new Set(this.#certified === undefined ? proved : [this.#certified, ...proved]);
  }

  add(pair: DomainPair): void {
    this.#pairs.set(pairKey(pair), pair);
  }

  /** The peer's certificate has proved a domain, for all local domains. */
  certify(remote: string): void {
    this.#certified = remote;
  }

  /** Whether exactly this pair is proved. Stanzas may then go in the other direction, too (XEP-0288 §2.2). */
  has(pair: DomainPair): boolean {
    return this.#pairs.has(pairKey(pair));
  }

  covers(pair: DomainPair): boolean {
    return pair.remote === this.#certified || this.has(pair);
  }
}
