import type { NextHop } from '../routing/outbound.ts';
import { type Element, nsOf } from '../xml/element.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { KnownFeatures } from './known-features.ts';
import type { PeerStream } from './peer-stream.ts';

/** The next hop of stanzas that are about to leave on a stream to another server. */
export class PeerHop implements NextHop {
  readonly domain: string;
  readonly #pair: DomainPair;
  readonly #stream: PeerStream;
  readonly #features: readonly Element[];
  readonly #known: KnownFeatures;

  constructor(pair: DomainPair, stream: PeerStream, features: readonly Element[], known: KnownFeatures) {
    this.domain = pair.remote;
    this.#pair = pair;
    this.#stream = stream;
    this.#features = features;
    this.#known = known;
  }

  offers(name: string, namespace: string): boolean {
    return this.#features.some((feature) => feature.getName() === name && nsOf(feature) === namespace);
  }

  features(): Promise<ReadonlySet<string>> {
    return this.#known.of(this.#pair, (request) => this.#stream.management.sendOnce(request));
  }
}
