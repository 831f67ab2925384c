import type { Clock } from './clock.ts';

/** By then whoever was waiting for the start has been let in. */
const quietMs = 1000;

/** What `--expose-gc` adds to the language. */
type Collect = (options: NodeJS.GCOptions) => void;

/**
 * Gives back, soon after the start, what only the start of this thread has needed; V8 itself would wait until its room is full.
 * Node.js must have been started with `--expose-gc` (docs/decisions/0031-what-the-start-leaves-behind.md).
 */
export function collectAfterStart(clock: Pick<Clock, 'after'>, collect: Collect | undefined = globalThis.gc): void {
  if (collect === undefined) return;
  // Any other kind of collection leaves the space for new objects, and gaps between old ones, as large as they are.
  clock.after(quietMs, () => collect({ type: 'major', flavor: 'last-resort' }));
}
