interface Flushable {
  flush(): void;
}

/** After so many reads what they brought about is written, while it is still in the processor's cache: saves 5 % with a thousand clients. */
const readsTogether = 64;

let waiting: Flushable[] = [];
let reads = 0;
let isScheduled = false;

/** Flushes `target` once: when the current turn of the event loop has handled everything it read, or a good part of it. */
export function flushAtTurnEnd(target: Flushable): void {
  waiting.push(target);
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(endTurn);
}

/** Something that was read has been handled. */
export function readHandled(): void {
  reads += 1;
  if (reads >= readsTogether) flushAll();
}

function endTurn(): void {
  isScheduled = false;
  flushAll();
}

function flushAll(): void {
  reads = 0;
  const targets = waiting;
  waiting = [];
  for (const target of targets) target.flush();
}
