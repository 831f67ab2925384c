import { ns } from '../../../protocol/namespaces.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import type { MaybePromise } from '../../../routing/maybe-promise.ts';
import type { NextHop } from '../../../routing/outbound.ts';
import { ampsOf, requestOf } from '../element/amp-element.ts';

/** How to treat a message with rules if the next server does not support AMP: an error, or pass it on without or with them. */
export type Unsupported = 'bounce' | 'strip' | 'forward';

/** The operator's choices for servers that do not support AMP. */
export interface UnsupportedPolicy {
  readonly policy: Unsupported;
  /** Exceptions by domain. */
  readonly domains: ReadonlyMap<string, Unsupported>;
}

/** Whether a message has rules for the next server. The operator's rules are never passed on. */
export function asksForRules({ payload }: Stanza): boolean {
  return requestOf(ampsOf(payload)) !== undefined;
}

/** Whether a server declares support of AMP in its stream features or its disco#info (XEP-0079 §2.2.4, §8). */
export function supportsAmp(hop: NextHop): MaybePromise<boolean> {
  if (hop.offers('amp', ns.ampFeature)) return true;
  return hop.features().then(
    (features) => features.has(ns.amp),
    () => false,
  );
}
