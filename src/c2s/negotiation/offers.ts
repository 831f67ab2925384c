import type { Element } from '../../xml/element.ts';
import type { StreamFacts, StreamFeature } from './stream-feature.ts';

/** The features offered to a stream in its current state. */
interface Offers {
  readonly offered: readonly StreamFeature[];
  readonly elements: readonly Element[];
  /** Whether no other feature may be offered with it. */
  readonly exclusive: boolean;
}

/** Determines the features to offer to a stream (RFC 6120 §4.3.2). */
export function offersFor(features: readonly StreamFeature[], facts: StreamFacts): Offers {
  const needed = features.filter((feature) => feature.needs(facts));
  const exclusive = needed.find((feature) => feature.exclusive);
  const offered = exclusive ? [exclusive] : needed;
  return { offered, elements: offered.flatMap((feature) => feature.offer(facts)), exclusive: exclusive !== undefined };
}
