import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { xml } from '../xml/element.ts';
import type { OutgoingRequests } from './outgoing-requests.ts';
import type { Session } from './session.ts';

const answerTimeoutMs = 60_000;

/**
 * Resolves with true when the client has proved that it read everything sent so far, and with false if the session ends first. Either an
 * acknowledgment or the answer to a ping proves it: some clients miscount stanzas in their acknowledgments.
 */
export function provesReceipt(session: Session, requests: Pick<OutgoingRequests, 'ask'>): Promise<boolean> {
  const acknowledged = session.received();
  const answered = answersPing(session, requests);
  if (!acknowledged) return answered;
  return Promise.race([acknowledged.then((yes) => yes || answered), answered.then((yes) => yes || acknowledged)]);
}

/** Sends pings until the client answers one (XEP-0199 §4.1): it may be slow, or away and able to resume. */
async function answersPing(session: Session, requests: Pick<OutgoingRequests, 'ask'>): Promise<boolean> {
  const domain = Jid.from('', session.jid.domain);
  const send = (request: Stanza) => session.sendHeld(request);
  while (!session.ended) {
    const ping = xml('ping', { xmlns: ns.ping });
    if (await requests.ask(domain, session.jid, ping, answerTimeoutMs, send)) return true;
    await session.flushed();
  }
  return false;
}
