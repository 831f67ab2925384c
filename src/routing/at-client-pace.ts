import type { MaybePromise } from './maybe-promise.ts';
import type { Session } from './session.ts';

/** How long the steps of one turn of the event loop may take, so that everybody else is served between. A few steps are never divided. */
const turnMs = 0.5;
const [fewestSteps, mostSteps] = [32, 256];

/**
 * Runs the steps of a piece of work that sends to a session, and waits whenever too much is waiting for the client, and after many or
 * expensive steps for the next turn of the event loop. Ends with the last step, or after a wait if `isWanted` returns false: by default, when the
 * session is no longer available.
 */
export function atClientPace(
  session: Session,
  steps: Iterator<void>,
  isWanted: () => boolean = () => session.presence.available !== undefined,
): MaybePromise<void> {
  const goOn = () => (isWanted() ? atClientPace(session, steps, isWanted) : undefined);
  const endMs = performance.now() + turnMs;
  for (let taken = 0; taken < fewestSteps || (taken < mostSteps && performance.now() < endMs); taken += 1) {
    if (steps.next().done) return;
    // One step after each wait guarantees progress.
    if (session.crowded) return session.flushed().then(goOn);
  }
  return nextTurn().then(goOn);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
