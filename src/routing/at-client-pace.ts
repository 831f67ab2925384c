import type { MaybePromise } from './maybe-promise.ts';
import type { Session } from './session.ts';

/**
 * Runs the steps of a piece of work that sends to a session, and waits whenever too much is waiting for the client. Ends with the
 * last step, or after a wait if `isWanted` returns false: by default, when the session is no longer available.
 */
export function atClientPace(
  session: Session,
  steps: Iterator<void>,
  isWanted: () => boolean = () => session.presence.available !== undefined,
): MaybePromise<void> {
  while (!steps.next().done) {
    // One step after each wait guarantees progress.
    if (session.crowded)
      return session.flushed().then(() => (isWanted() ? atClientPace(session, steps, isWanted) : undefined));
  }
}
