import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { xml } from '../xml/element.ts';
import type { OutgoingRequests } from './outgoing-requests.ts';
import type { Session } from './session.ts';

const answerTimeoutMs = 60_000;

/**
 * Resolves with true when the client has provably taken everything sent so far, with false if the session has ended before. A ping
 * behind it proves that also of a client that miscounts what it acknowledges, and there are such clients.
 */
export function provesReceipt(session: Session, requests: Pick<OutgoingRequests, 'ask'>): Promise<boolean> {
  const acknowledged = session.received();
  const answered = answersPing(session, requests);
  if (!acknowledged) return answered;
  return Promise.race([acknowledged.then((yes) => yes || answered), answered.then((yes) => yes || acknowledged)]);
}

/** Asks until there is an answer (XEP-0199 §4.1): slow is not lost, and who is away is asked when back. */
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
