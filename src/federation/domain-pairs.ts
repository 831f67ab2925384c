/** Two domains that exchange stanzas: ours and that of a peer. */
export interface DomainPair {
  readonly local: string;
  readonly remote: string;
}

/** A pair as a key of maps; a space stands in no domain. */
export function pairKey({ local, remote }: DomainPair): string {
  return `${local} ${remote}`;
}

/** For which pairs of domains a peer has proved that it may send (RFC 6120 §8.1.2.2, XEP-0220 §2.6). */
export class ProvenPairs {
  readonly #pairs = new Map<string, DomainPair>();
  #certified: string | undefined;

  get size(): number {
    return this.#pairs.size;
  }

  /** The domains of the peer that are proved, whomever they write to. */
  get remotes(): ReadonlySet<string> {
    const proved = Array.from(this.#pairs.values(), ({ remote }) => remote);
    return new Set(this.#certified === undefined ? proved : [this.#certified, ...proved]);
  }

  add(pair: DomainPair): void {
    this.#pairs.set(pairKey(pair), pair);
  }

  /** The peer's certificate names a domain: that is so whomever it writes to. */
  certify(remote: string): void {
    this.#certified = remote;
  }

  /** Whether this very pair is proved: then stanzas may go the other way, too (XEP-0288 §2.2). */
  has(pair: DomainPair): boolean {
    return this.#pairs.has(pairKey(pair));
  }

  covers(pair: DomainPair): boolean {
    return pair.remote === this.#certified || this.has(pair);
  }
}
