import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Carrier, Departure } from '../../routing/carrier.ts';
import { DomainLink, type DomainLinkParts } from './domain-link.ts';
import { type DomainPair, pairKey } from './domain-pairs.ts';
import type { DomainPolicies } from './domain-policies.ts';

/** What the links need from the rest of the house. */
export interface RemoteLinksParts extends DomainLinkParts {
  readonly isHosted: (domain: string) => boolean;
  readonly policies: DomainPolicies;
}

/** Pairs of domains at the same time; nobody's users write to more. */
const maxLinks = 10_000;

/** Carries stanzas to other servers by one link for each pair of domains. */
export class RemoteLinks implements Carrier {
  readonly #parts: RemoteLinksParts;
  readonly #links = new Map<string, DomainLink>();

  constructor(parts: RemoteLinksParts) {
    this.#parts = parts;
  }

  send(stanza: Stanza, departure: Departure): void {
    const local = stanza.from?.domain ?? '';
    const remote = stanza.to?.domain ?? '';
    const { isHosted, policies } = this.#parts;
    // What is hosted here and has come this far is not there, and we are not the way to it.
    if (isHosted(remote) || !isHosted(local)) throw StanzaError.remoteServerNotFound();
    if (!policies.allows(remote)) throw StanzaError.notAllowed(`nothing is exchanged with ${remote}`);
    this.#linkOf({ local, remote }).send(stanza, departure);
  }

  /** The links, for operators. */
  all(): readonly DomainLink[] {
    return [...this.#links.values()];
  }

  find(pair: DomainPair): DomainLink | undefined {
    return this.#links.get(pairKey(pair));
  }

  /** Called about once a second. */
  tick(nowMs: number): void {
    for (const [key, link] of this.#links) {
      link.tick(nowMs);
      if (link.isAtRest(nowMs)) this.#links.delete(key);
    }
  }

  /** What has kept servers from being reached may be otherwise now. */
  tryAgain(): void {
    for (const link of this.all()) link.tryAgain();
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    await Promise.all(this.all().map((link) => link.drained()));
  }

  end(): void {
    for (const link of this.all()) link.end();
  }

  #linkOf(pair: DomainPair): DomainLink {
    const key = pairKey(pair);
    const known = this.#links.get(key);
    if (known) return known;
    if (this.#links.size >= maxLinks) throw StanzaError.resourceConstraint('too many other servers');
    const link = new DomainLink(pair, this.#parts);
    this.#links.set(key, link);
    return link;
  }
}
