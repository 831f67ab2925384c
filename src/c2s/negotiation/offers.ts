import type { Element } from '../../xml/element.ts';
import type { StreamFacts, StreamFeature } from './stream-feature.ts';

/** What a stream in its condition is offered. */
interface Offers {
  readonly offered: readonly StreamFeature[];
  readonly elements: readonly Element[];
  /** Whether nothing else may stand beside it. */
  readonly exclusive: boolean;
}

/** Finds out what a stream is to be offered (RFC 6120 §4.3.2). */
export function offersFor(features: readonly StreamFeature[], facts: StreamFacts): Offers {
  const needed = features.filter((feature) => feature.needs(facts));
  const exclusive = needed.find((feature) => feature.exclusive);
  const offered = exclusive ? [exclusive] : needed;
  return { offered, elements: offered.flatMap((feature) => feature.offer(facts)), exclusive: exclusive !== undefined };
}
