import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Handoff, Outbound } from '../routing/outbound.ts';
import { Shares } from '../support/shares.ts';
import { DomainLink, type DomainLinkDeps } from './domain-link.ts';
import { type DomainPair, pairKey } from './domain-pairs.ts';
import type { DomainPolicies } from './domain-policies.ts';

/** Dependencies of the links. */
interface RemoteLinksDeps extends Omit<DomainLinkDeps, 'place'> {
  readonly isHosted: (domain: string) => boolean;
  readonly policies: DomainPolicies;
  /** The key of the share in which a new stream counts: that of an account, a component, or the server itself. */
  readonly sender: (from: Jid) => string;
}

/** Sends stanzas to other servers, over one link for each pair of domains. */
export class RemoteLinks implements Outbound {
  readonly #deps: RemoteLinksDeps;
  readonly #links = new Map<string, DomainLink>();
  /** Limits the streams that are being opened. */
  readonly #places: Shares;

  constructor(deps: RemoteLinksDeps) {
    this.#deps = deps;
    this.#places = new Shares(() => {
      const { links: total, newLinksPerAccount: each } = deps.policies.options.shares;
      return { total, each };
    });
  }

  send(stanza: Stanza, handoff: Handoff): void {
    const local = stanza.from?.domain ?? '';
    const remote = stanza.to?.domain ?? '';
    const { isHosted, policies } = this.#deps;
    // A local domain that is routed to a remote server has no recipient here, and this server does not relay.
    if (isHosted(remote) || !isHosted(local)) throw StanzaError.remoteServerNotFound();
    const pair = { local, remote };
    // A stream that is about to be closed still carries what rooms tell users who must leave.
    if (!policies.allows(remote) && (this.find(pair)?.stream?.over ?? true))
      throw StanzaError.notAllowed(`communication with ${remote} is not allowed`);
    this.#linkOf(pair).send(stanza, handoff);
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
      if (link.canBeDropped(nowMs)) this.#links.delete(key);
    }
  }

  /** Ends all delays of unreachable servers: a reload may have removed the cause. */
  tryAgain(): void {
    for (const link of this.all()) link.tryAgain();
  }

  /** Resolves when no stanzas wait. */
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
    if (!this.#hasRoom()) throw StanzaError.resourceConstraint('too many streams to other servers');
    const link = new DomainLink(pair, { ...this.#deps, place: ({ from }) => this.#place(from) });
    this.#links.set(key, link);
    return link;
  }

  /** Whether there is room for another link; drops the link of an unreachable server if needed. */
  #hasRoom(): boolean {
    if (this.#links.size < this.#deps.policies.options.shares.links) return true;
    for (const [key, link] of this.#links) if (link.isBackingOff) return this.#links.delete(key);
    return false;
  }

  #place(from: Jid | undefined): () => void {
    const place = from && this.#places.take(this.#deps.sender(from));
    if (!place) throw StanzaError.resourceConstraint('too many new streams to other servers at once');
    return place;
  }
}
