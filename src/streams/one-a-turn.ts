let waiting: (() => void)[] = [];

/** Runs one expensive task per turn of the event loop, so that other work is done in between. */
export function oneATurn(work: () => void): void {
  if (waiting.length === 0) setImmediate(doNext);
  waiting.push(work);
}

function doNext(): void {
  const [work, ...later] = waiting;
  waiting = later;
  if (later.length > 0) setImmediate(doNext);
  work?.();
}
