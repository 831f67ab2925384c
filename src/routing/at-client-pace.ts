import type { MaybePromise } from './maybe-promise.ts';
import type { Session } from './session.ts';

/**
 * Does a piece of work step by step, at once as long as little waits to leave for the session, and else at the pace of its client.
 * Ends with the work, or when the session is not available any more.
 */
export function atClientPace(session: Session, steps: Iterator<void>): MaybePromise<void> {
  while (!steps.next().done) {
    // At least a step between two waits: then it ends.
    if (session.crowded) return session.flushed().then(() => goOn(session, steps));
  }
}

function goOn(session: Session, steps: Iterator<void>): MaybePromise<void> {
  if (session.presence.available) return atClientPace(session, steps);
}
