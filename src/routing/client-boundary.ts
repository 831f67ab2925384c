import { withoutDelaysFrom } from '../protocol/delay.ts';
import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Payload } from '../xml/payload.ts';
import type { Session } from './session.ts';

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
  const manages = stanza.kind === 'presence' && stanza.type !== undefined && subscriptionTypes.has(stanza.type);
  const payload = withoutForgedDelays(stanza.payload, stanza.to ?? sender, sender.domain);
  return stanza.with({ from: manages ? sender.bare() : sender, payload });
}

/**
 * The payload without the delays that only we may add (XEP-0203 §5): those from the recipient, from the recipient's domain, and from the
 * domain that the sender has connected to. Delays from others, such as rooms, stay.
 */
export function withoutForgedDelays(payload: Payload, to: Jid, serverOfSender = to.domain): Payload {
  return withoutDelaysFrom(payload, (from) => {
    if (from.local === '') return from.domain === to.domain || from.domain === serverOfSender;
    return from.bare().equals(to.bare());
  });
}

/** Answers a stanza of our own client. A message that was refused counts as taken: a crash must not swallow the refusal. */
export function answer(reply: Stanza, session: Session): void {
  if (session.needsAck && reply.kind === 'message') session.ackAfter(session.sendDurably(reply));
  else session.send(reply);
}
