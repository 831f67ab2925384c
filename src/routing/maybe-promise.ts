/** A value that is available now if possible, so that the hot path does not wait for a turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

/** Applies `use` now if the value is available, and later if it is a promise. */
export function then<T, R>(value: MaybePromise<T>, use: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}
