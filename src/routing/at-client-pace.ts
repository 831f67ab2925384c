import type { MaybePromise } from './maybe-promise.ts';
import type { Session } from './session.ts';

/**
 * Does a piece of work step by step, at once as long as little waits to leave for the session, and else at the pace of its client.
 * Ends with the work, or after a wait if it is not wanted any more: by default when the session is not available.
 */
export function atClientPace(
  session: Session,
  steps: Iterator<void>,
  isWanted: () => boolean = () => session.presence.available !== undefined,
): MaybePromise<void> {
  while (!steps.next().done) {
    // At least a step between two waits: then it ends.
    if (session.crowded)
      return session.flushed().then(() => (isWanted() ? atClientPace(session, steps, isWanted) : undefined));
  }
}
