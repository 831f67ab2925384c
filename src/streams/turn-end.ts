interface Flushable {
  flush(): void;
}

let waiting: Flushable[] = [];

/** Flushes `target` once, when the current turn of the event loop has handled everything it read. */
export function flushAtTurnEnd(target: Flushable): void {
  if (waiting.length === 0) setImmediate(flushAll);
  waiting.push(target);
}

function flushAll(): void {
  const targets = waiting;
  waiting = [];
  for (const target of targets) target.flush();
}
