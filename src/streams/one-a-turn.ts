let waiting: (() => void)[] = [];

/** Does long pieces of work one in each turn of the event loop, so that others are served between them. */
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
