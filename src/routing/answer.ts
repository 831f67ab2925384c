import type { Stanza } from '../protocol/stanza.ts';
import type { Session } from './session.ts';

/** Answers a stanza of our own client. A message that was refused counts as taken: a crash must not swallow the refusal. */
export function answer(reply: Stanza, session: Session): void {
  if (session.needsAck && reply.kind === 'message') session.ackAfter(session.sendDurably(reply));
  else session.send(reply);
}
