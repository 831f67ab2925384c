/** A value that is available now if possible, so that the hot path does not wait for a turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

/** Applies `use` now if the value is available, and later if it is a promise. */
export function then<T, R>(value: MaybePromise<T>, use: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}

/** Uses all values now, in their order. Returns a promise for all uses that are not done at once, if there are any. */
export function useAll<T>(values: Iterable<T>, use: (value: T) => MaybePromise<void>): MaybePromise<void> {
  let waiting: Promise<void>[] | undefined;
  for (const value of values) {
    const used = use(value);
    if (!(used instanceof Promise)) continue;
    waiting ??= [];
    waiting.push(used);
  }
  if (waiting) return Promise.all(waiting).then(() => undefined);
}
