import { ns } from '../../../protocol/namespaces.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import type { MaybePromise } from '../../../routing/maybe-promise.ts';
import type { NextHop } from '../../../routing/outbound.ts';
import { ampsOf, requestOf } from '../element/amp-element.ts';

/** What becomes of a message with rules when its next server does not know AMP: an error, or it goes on without them, or with them. */
export type Unsupported = 'bounce' | 'strip' | 'forward';

/** What the operator has decided about servers that do not know AMP. */
export interface UnsupportedPolicy {
  readonly policy: Unsupported;
  /** For single domains. */
  readonly domains: ReadonlyMap<string, Unsupported>;
}

/** Whether a message brings rules that the next server is to know of; those of the operator stay here. */
export function asksForRules({ payload }: Stanza): boolean {
  return requestOf(ampsOf(payload)) !== undefined;
}

/** Whether a server says that it knows AMP: in its stream features, or else when it is asked (XEP-0079 §2.2.4, §8). */
export function supportsAmp(hop: NextHop): MaybePromise<boolean> {
  if (hop.offers('amp', ns.ampFeature)) return true;
  return hop.features().then(
    (features) => features.has(ns.amp),
    () => false,
  );
}
