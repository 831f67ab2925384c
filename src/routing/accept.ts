import { withoutDelaysOf } from '../protocol/delay.ts';
import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';

/** The presence types that are sent from the bare JID (RFC 6121 §3.1.2). */
const subscriptionTypes = new Set(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']);

/**
 * Stamps a client's stanza with the sender's address: whatever 'from' it carries must be the sender's own (RFC 6120 §8.1.2.1).
 * Throws the stream error `invalid-from` if it is not.
 */
export function stampFrom(stanza: Stanza, sender: Jid): Stanza {
  const claimed = stanza.from;
  if (claimed && !claimed.equals(sender) && !claimed.equals(sender.bare())) {
    throw StreamError.invalidFrom(`'from' is not ${sender}`);
  }
  const { payload, to } = stanza;
  const manages = stanza.kind === 'presence' && stanza.type !== undefined && subscriptionTypes.has(stanza.type);
  // Only we may say when a stanza reached us, and nobody when it will reach somebody else (XEP-0203 §5).
  const ends = payload.has('delay', ns.delay) ? [sender.domain, to?.domain ?? sender.domain] : [];
  return stanza.with({ from: manages ? sender.bare() : sender, payload: ends.reduce(withoutDelaysOf, payload) });
}
