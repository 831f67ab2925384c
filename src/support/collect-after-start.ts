import type { Clock } from './clock.ts';

/** Long enough for the clients that waited for the start to connect. */
const quietMs = 1000;

/** What `--expose-gc` adds to the language. */
type Collect = (options: NodeJS.GCOptions) => void;

/**
 * Frees, soon after the start, the memory that only the start of this thread needed; V8 itself would wait until its heap is full.
 * Does nothing unless Node.js runs with `--expose-gc` (docs/decisions/0031-what-the-start-leaves-behind.md).
 */
export function collectAfterStart(clock: Pick<Clock, 'after'>, collect: Collect | undefined = globalThis.gc): void {
  if (collect === undefined) return;
  // Other kinds of collection do not shrink the space for new objects or close gaps between old ones.
  clock.after(quietMs, () => collect({ type: 'major', flavor: 'last-resort' }));
}
