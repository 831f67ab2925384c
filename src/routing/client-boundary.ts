import { withoutDelaysFrom } from '../protocol/delay.ts';
import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Payload } from '../xml/payload.ts';
import type { Session } from './session.ts';

/** The presence types that get the bare JID as 'from' (RFC 6121 §3.1.2). */
const subscriptionTypes = new Set(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']);

/**
 * Stamps a client's stanza with the sender's address (RFC 6120 §8.1.2.1), and removes forged delays. Throws the stream error
 * `invalid-from` if the stanza has a 'from' that is not the sender's own.
 */
export function stampFrom(stanza: Stanza, sender: Jid): Stanza {
  const claimed = stanza.from;
  if (claimed && !claimed.equals(sender) && !claimed.equals(sender.bare())) {
    throw StreamError.invalidFrom(`'from' must be ${sender}`);
  }
  const manages = stanza.kind === 'presence' && stanza.type !== undefined && subscriptionTypes.has(stanza.type);
  const payload = withoutForgedDelays(stanza.payload, stanza.to ?? sender, sender.domain);
  return stanza.sentBy(manages ? sender.bare() : sender, payload);
}

/**
 * The payload without the delays that only this server may add (XEP-0203 §5): those from the recipient, from the recipient's domain, and
 * from the domain that the sender is connected to. Delays from others, such as rooms, stay.
 */
export function withoutForgedDelays(payload: Payload, to: Jid, serverOfSender = to.domain): Payload {
  return withoutDelaysFrom(payload, (from) => {
    if (from.local === '') return from.domain === to.domain || from.domain === serverOfSender;
    return from.bare().equals(to.bare());
  });
}

/** Answers a stanza of a client of this server. A refused message is acknowledged, so its refusal is sent durably. */
export function answer(reply: Stanza, session: Session): void {
  if (session.needsAck && reply.kind === 'message') session.ackAfter(session.sendDurably(reply));
  else session.send(reply);
}
